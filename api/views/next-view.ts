import type { Campaign } from '../../db/campaigns.ts';
import { countParts } from '../../db/central/central-sends.ts';
import type { Trx } from '../../db/database.ts';
import type { HoldOver } from '../../db/holds-over.ts';
import { type OpenWave, readOpenWaves, readSenderPaces } from '../../db/message-progress.ts';
import type { Message } from '../../db/messages.ts';
import { quotasOfSender } from '../../db/quotas.ts';
import { roleOf } from '../../domain/campaign-actions.ts';
import { nextOfCentral } from '../../domain/central/next-of-central.ts';
import { resetsAt, unitsLeft } from '../../domain/dispatch/quota.ts';
import type { MessageFacts } from '../../domain/next-of-message.ts';
import { type NextFacts, type NextStep, nextStepOf, nextStepsOfMessages } from '../../domain/next-step.ts';
import type { QuietHours } from '../../domain/quiet-hours.ts';
import type { MessageReport } from '../../domain/report.ts';
import { toOffsetString } from '../../domain/zoned-time.ts';

/** What is known of a campaign when somebody asks what happens next. */
export interface NextQuestion {
  readonly campaign: Campaign;
  readonly messages: readonly Message[];
  readonly holds: readonly HoldOver[];
  readonly reportFor: (message: Message) => MessageReport;
  readonly clock: { readonly now: number; readonly timeZone: string; readonly quietHours: QuietHours };
}

/** What happens next with a campaign and with each of its messages, by position. */
export interface NextAnswer {
  readonly facts: NextFacts;
  readonly campaign: NextStep;
  readonly messages: ReadonlyMap<number, NextStep>;
}

/** Reads what is needed beyond the question, and answers it. */
export async function readNext(trx: Trx, question: NextQuestion): Promise<NextAnswer> {
  const { campaign, messages, holds, clock } = question;
  const facts: NextFacts = {
    status: campaign.status,
    now: clock.now,
    timeZone: clock.timeZone,
    quietHours: clock.quietHours,
    audienceSize: campaign.audienceFrozenAt === null ? null : campaign.audienceSize,
    holds: holds.map(({ kind, reason, scope, scopeId }) => ({
      kind,
      reason,
      position:
        scope === 'message' ? (messages.find((message) => message.id === scopeId)?.position ?? null) : null,
    })),
    messages: await readMessageFacts(trx, question),
  };
  if (roleOf(campaign) === 'central') {
    const next = nextOfCentral({ ...facts, states: await countParts(trx, campaign.id) });
    return { facts, campaign: next, messages: new Map() };
  }
  return { facts, campaign: nextStepOf(facts), messages: nextStepsOfMessages(facts) };
}

/** A step as it is shown, its instant in the account's zone. */
export function nextView({ at, ...step }: NextStep, timeZone: string) {
  return { ...step, at: at === null ? null : toOffsetString(at, timeZone) };
}

async function readMessageFacts(trx: Trx, question: NextQuestion): Promise<MessageFacts[]> {
  const { campaign, messages, reportFor, clock } = question;
  const sending = messages.filter((message) => message.status === 'sending');
  const keys = sending.map((message) => message.key);
  const [waves, paces, quotas] =
    sending.length === 0 || campaign.senderId === null
      ? [[], new Map<string, never>(), []]
      : await Promise.all([
          readOpenWaves(trx, keys),
          readSenderPaces(trx, campaign.senderId),
          quotasOfSender(trx, campaign.senderId),
        ]);
  const usedUp = quotas
    .filter((quota) => unitsLeft(quota, quota.use, clock.now) === 0)
    .map((quota) => ({ name: quota.name, until: resetsAt(quota, clock.now) }))
    .toSorted((one, other) => other.until - one.until)[0];
  return messages.map((message) => {
    const isMms = message.mediaIds.length > 0;
    const { perSecond, slowedMs } = paces.get(isMms ? 'mms' : 'sms') ?? { perSecond: null, slowedMs: 0 };
    const report = reportFor(message);
    return {
      position: message.position,
      status: message.status,
      texting: message.texting,
      dueAt: message.dueAt?.getTime() ?? null,
      expiresAt: message.expiresAt?.getTime() ?? null,
      endedAt: message.endedAt?.getTime() ?? null,
      unsent: Math.max(report.waiting + report.deferred, waitingIn(waves, message)),
      inFlight: report.inFlight,
      awaitingReport: report.awaitingReport,
      waves: waves
        .filter((wave) => wave.messageKey === message.key)
        .map((wave) => ({ waiting: wave.waiting, dueAt: wave.dueAt?.getTime() ?? null })),
      pace: perSecond === null ? null : paceOf(perSecond, isMms ? 'message' : 'segment'),
      slowedUntil: slowedMs > 0 ? clock.now + Math.ceil(slowedMs) : null,
      usedUp: usedUp ?? null,
    };
  });
}

function paceOf(perSecond: number, what: string): string {
  return `${perSecond} ${what}${perSecond === 1 ? '' : 's'} a second`;
}

/** Who is tried again counts as what he was in the report, and waits all the same. */
function waitingIn(waves: readonly OpenWave[], message: Message): number {
  return waves.filter((wave) => wave.messageKey === message.key).reduce((sum, wave) => sum + wave.waiting, 0);
}

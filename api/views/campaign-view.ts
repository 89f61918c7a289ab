import { findAccount } from '../../db/accounts.ts';
import { latestAlerts } from '../../db/alert-rows.ts';
import type { CampaignListItem } from '../../db/campaign-list.ts';
import type { Campaign } from '../../db/campaigns.ts';
import type { Trx } from '../../db/database.ts';
import { holdsOver } from '../../db/holds-over.ts';
import { listMessages, type Message } from '../../db/messages.ts';
import { readReports } from '../../db/reports.ts';
import { readRounds } from '../../db/rounds.ts';
import { findSender } from '../../db/senders.ts';
import { type AffixTemplates, switchedOffAffixes } from '../../domain/affixes.ts';
import { allowancesOf, roleOf } from '../../domain/campaign-actions.ts';
import { affixWarnings, type MessageWarning, purposeOf } from '../../domain/content-check.ts';
import { ACKNOWLEDGEMENT, type LaunchIssue, missingDetails } from '../../domain/launch-check.ts';
import type { QuietHours } from '../../domain/quiet-hours.ts';
import { type MessageReport, reportOf, sumReports, total } from '../../domain/report.ts';
import { toOffsetString } from '../../domain/zoned-time.ts';
import { alertView } from './alert-view.ts';
import { readCentralView } from './central-view.ts';
import { nextView, readNext } from './next-view.ts';

/** What a campaign without a name is called. */
export const UNTITLED = 'Untitled campaign';

/** Where the account's clock stands. */
export interface ViewClock {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly timeZone: string;
  readonly quietHours: QuietHours;
  /** What texts of the account are made with. */
  readonly account: AffixTemplates & { readonly name: string; readonly senderName: string };
}

/** The account's zone and quiet hours, with the instant at which somebody asks. */
export async function readViewClock(trx: Trx, accountId: string, now: number): Promise<ViewClock> {
  const account = await findAccount(trx, accountId);
  if (account === null) throw new Error(`There is no account ${accountId}.`);
  return {
    now,
    timeZone: account.timeZone,
    quietHours: { start: account.quietStart, end: account.quietEnd },
    account,
  };
}

/** What a draft still needs before it can be launched; nothing once it has been. */
export function missingOf(campaign: Campaign, messages: readonly Message[]): LaunchIssue[] {
  return missingDetails({
    name: campaign.name,
    audience:
      campaign.kind === 'central'
        ? { kind: 'central', presetId: campaign.presetId }
        : { kind: 'standard', senderId: campaign.senderId, listIds: campaign.listIds },
    ownerId: campaign.ownerId,
    purpose: campaign.purpose,
    isAcknowledged: campaign.acknowledgedAt !== null,
    messages: messages.map((message) => ({ text: message.text, mediaCount: message.mediaIds.length })),
  });
}

/** What stands beside a campaign's own row and is found by its id alone. */
export async function readCampaignParts(trx: Trx, campaign: Pick<Campaign, 'id' | 'accountId'>) {
  const [messages, holds, alerts, rounds] = await Promise.all([
    listMessages(trx, campaign.id),
    holdsOver(trx, campaign),
    latestAlerts(trx, campaign.id),
    readRounds(trx, campaign.id),
  ]);
  return { messages, holds, alerts, rounds };
}

/** A campaign with its messages, reports, allowed actions and what happens next. */
export async function readCampaignView(
  trx: Trx,
  campaign: Campaign,
  clock: ViewClock,
  parts?: Awaited<ReturnType<typeof readCampaignParts>>,
) {
  const { messages: found, holds, alerts, rounds } = parts ?? (await readCampaignParts(trx, campaign));
  const messages = found.toSorted(
    (one, other) => timelineInstant(one) - timelineInstant(other) || one.position - other.position,
  );
  const reports = await readReports(trx, campaign, messages);
  const reportFor = (message: Message): MessageReport => reports.get(message.id) ?? reportOf(new Map(), 0);
  const report = sumReports(messages.map(reportFor));
  const role = roleOf(campaign);
  const isDraft = campaign.status === 'draft' || campaign.status === 'rejected';
  const missing = isDraft ? missingOf(campaign, found) : [];
  const instant = instantIn(clock.timeZone);
  const warningsOf = await affixWarningsOf(trx, campaign, found, clock);
  const next = await readNext(trx, { campaign, messages: found, holds, reportFor, clock });
  return {
    ...summaryOf(campaign, instant),
    central: await readCentralView(trx, campaign),
    settled: campaign.status === 'finished' && report.unknown === report.unknownAs.final,
    missing,
    actions: allowancesOf({
      role,
      isPart: role === 'part',
      status: campaign.status,
      isArchived: campaign.archivedAt !== null,
      everLeased: campaign.everLeased,
      hasUnsentMessage: found.some((message) => message.status === 'scheduled'),
      missing: missing.map((issue) => issue.pointer),
      repeatable: { failed: total(report.failed), unknown: report.unknown },
      holds: holds.filter((hold) => hold.scope === 'campaign').map((hold) => hold.kind),
    }),
    holds: holds.map(({ placedAt, ...hold }) => ({ ...hold, placedAt: instant(placedAt) ?? '' })),
    alerts: alerts.map(alertView),
    next: nextView(next.campaign, clock.timeZone),
    report: role === 'central' ? null : reportView(report),
    rounds: rounds.map(({ orderedAt, ...round }) => ({ ...round, orderedAt: instant(orderedAt) ?? '' })),
    messages: messages.map((message) => ({
      ...messageView(message, role === 'central' ? null : reportFor(message), instant),
      next: nextView(next.messages.get(message.position) ?? next.campaign, clock.timeZone),
      warnings: warningsOf(message),
    })),
  };
}

/** What each message is warned of for having the account's prefix or suffix off; the sender is read only for that. */
async function affixWarningsOf(
  trx: Trx,
  campaign: Campaign,
  messages: readonly Message[],
  { account }: ViewClock,
): Promise<(message: Message) => MessageWarning[]> {
  if (messages.every((message) => message.usePrefix && message.useSuffix)) return () => [];
  const sender = campaign.senderId === null ? null : await findSender(trx, campaign.senderId);
  return (message) =>
    affixWarnings({
      text: message.text,
      isFirst: message.position === 1,
      purpose: purposeOf(campaign.purpose),
      switchedOff: switchedOffAffixes({ ...message, senderType: sender?.type ?? null, account }),
    });
}

type ToText = (at: Date | null) => string | null;

function instantIn(zone: string): ToText {
  return (at) => (at === null ? null : toOffsetString(at.getTime(), zone));
}

function timelineInstant(message: Message): number {
  return (message.beganAt ?? message.dueAt)?.getTime() ?? Number.MAX_SAFE_INTEGER;
}

function summaryOf(campaign: Campaign, instant: ToText) {
  return {
    id: campaign.id,
    name: campaign.name,
    displayName: campaign.name ?? UNTITLED,
    kind: campaign.kind,
    sentBy:
      campaign.parentId === null ? null : { accountId: campaign.parentId, name: campaign.parentName ?? '' },
    type: campaign.type,
    channel: campaign.channel,
    status: campaign.status,
    statusReasons: [...campaign.statusReasons],
    archived: campaign.archivedAt !== null,
    senderId: campaign.senderId,
    listIds: [...campaign.listIds],
    excludedListIds: [...campaign.excludedListIds],
    ownerId: campaign.ownerId,
    ownerName: campaign.ownerName,
    purpose: campaign.purpose,
    audience: {
      timing: campaign.audienceTiming,
      recipients: campaign.audienceFrozenAt === null ? null : campaign.audienceSize,
      frozenAt: instant(campaign.audienceFrozenAt),
    },
    acknowledgement:
      campaign.acknowledgedAt === null
        ? null
        : {
            words: ACKNOWLEDGEMENT,
            by: campaign.acknowledgedBy ?? '',
            byName: campaign.acknowledgedByName,
            at: instant(campaign.acknowledgedAt) ?? '',
          },
    budget: campaign.budgetMicroUsd === null ? null : moneyOf(campaign.budgetMicroUsd),
    spent: roleOf(campaign) === 'central' ? null : moneyOf(campaign.spentMicroUsd),
    launchedAt: instant(campaign.launchedAt),
    startAt: instant(campaign.firstDueAt ?? campaign.launchedAt),
    finishedAt: instant(campaign.finishedAt),
    createdBy: campaign.createdBy,
    createdByName: campaign.createdByName,
    createdAt: campaign.createdAt.toISOString(),
  };
}

function moneyOf(amountMicro: number) {
  return { amountMicro, currency: 'USD' as const };
}

function reportView({ costMicroUsd, ...report }: MessageReport) {
  return {
    ...report,
    undelivered: [...report.undelivered],
    failed: [...report.failed],
    rejected: [...report.rejected],
    skipped: [...report.skipped],
    cost: moneyOf(costMicroUsd),
  };
}

function messageView(message: Message, report: MessageReport | null, instant: ToText) {
  return {
    id: message.id,
    position: message.position,
    type: message.type,
    status: message.status,
    text: message.text,
    mediaIds: [...message.mediaIds],
    schedule:
      message.scheduleLocal === null || message.scheduleZone === null
        ? null
        : { local: message.scheduleLocal, zone: message.scheduleZone },
    dueAt: instant(message.dueAt),
    expiresAfterMs: message.expiresAfterMs,
    expiresAt: instant(message.expiresAt),
    beganAt: instant(message.beganAt),
    endedAt: instant(message.endedAt),
    usePrefix: message.usePrefix,
    useSuffix: message.useSuffix,
    report: report === null ? null : reportView(report),
  };
}

/** One line of the list of campaigns. */
export function listItemView(item: CampaignListItem) {
  return {
    ...item,
    displayName: item.name ?? UNTITLED,
    startAt: item.startAt?.toISOString() ?? null,
    createdAt: item.createdAt.toISOString(),
    lists: [...item.lists],
  };
}

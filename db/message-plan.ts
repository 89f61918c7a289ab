import { sql } from 'kysely';
import { resolveAlerts } from './alerts.ts';
import { appendLog } from './log.ts';
import {
  decideMessage,
  isOvertaken,
  type MessagePlan,
  overtakenPlan,
} from '../domain/dispatch/message-plan.ts';
import { roundCounter } from '../domain/dispatch/result-counters.ts';
import { centralScopesOf } from './central/central-scopes.ts';
import type { Trx } from './database.ts';
import { INSTALLATION } from '../domain/hold.ts';
import { fenceMessage } from './dispatch/enter-lane.ts';
import { count, type Deltas, writeDeltas } from './dispatch/rollup.ts';
import { closedScopes } from './gates.ts';
import { showStatus } from './holds.ts';
import { readCounters } from './report-counters.ts';
import { collectRetries } from './retries.ts';

/** What the message workflow asks whenever no lane of it runs. */
export interface MessagePlanInput {
  readonly accountId: string;
  readonly campaignId: string;
  readonly messageId: string;
  /** Campaign time. */
  readonly at: number;
}

/**
 * Decides what a message does next and writes whether it is texting right now. No lane of the message counts as
 * running when this is asked, so a lease still open was left by a lane that was given up as lost, and its recipients
 * become unknown. Such a lane may live, if only its heartbeats were; it is fenced, and what it still posts is counted as
 * in flight. An order that was overtaken by a later one, whose lanes are at work, does nothing.
 */
export async function planMessage(trx: Trx, input: MessagePlanInput): Promise<MessagePlan> {
  await lockCampaign(trx, input);
  const message = await readMessage(trx, input.messageId);
  if (isOvertaken(input.at, message)) return overtakenPlan(input.at, message);
  await trx
    .updateTable('messages')
    .set({ planned_at: new Date(input.at) })
    .where('id', '=', input.messageId)
    .execute();
  await fenceMessage(trx, input.accountId, message.key);
  if (message.status === 'sending') {
    const { accountId } = input;
    await collectRetries(trx, { accountId, messageKey: message.key, expiresAt: message.expiresAt }, input.at);
  }
  const plan = await decide(trx, input, message);
  await show(trx, input, message, plan);
  return plan;
}

/** Whatever ends the message or gives it another time waits for this transaction then. */
async function lockCampaign(trx: Trx, { campaignId }: MessagePlanInput): Promise<void> {
  await trx.selectFrom('campaigns').where('id', '=', campaignId).select('id').forNoKeyUpdate().execute();
}

async function decide(trx: Trx, input: MessagePlanInput, message: PlannedMessage): Promise<MessagePlan> {
  const rest = await trx
    .selectFrom('waves')
    .where('message_key', '=', message.key)
    .whereRef('next_ordinal', '<', 'size')
    .select(['due_at as dueAt', 'size', 'next_ordinal as nextOrdinal'])
    .execute();
  return decideMessage(
    {
      ...message,
      isHeld: message.status !== 'sending' || !(await gatesAreOpen(trx, input, message)),
      openWaves: rest.map((wave) => ({
        dueAt: wave.dueAt?.getTime() ?? null,
        left: wave.size - wave.nextOrdinal,
      })),
    },
    input.at,
  );
}

async function gatesAreOpen(
  trx: Trx,
  { accountId, campaignId, messageId }: MessagePlanInput,
  { senderId, centralScopes }: PlannedMessage,
): Promise<boolean> {
  const scopes = [INSTALLATION, accountId, campaignId, messageId, senderId, ...centralScopes];
  return (await closedScopes(trx, scopes)).size === 0;
}

async function show(
  trx: Trx,
  input: MessagePlanInput,
  message: PlannedMessage,
  plan: MessagePlan,
): Promise<void> {
  const texting = plan.kind === 'send';
  if (plan.kind === 'done') {
    const status = message.everybodyExpired ? 'expired' : 'sent';
    await trx
      .updateTable('messages')
      .set((set) => ({
        status,
        texting: false,
        ended_at: new Date(input.at),
        version: set('version', '+', 1),
      }))
      .where('id', '=', input.messageId)
      .where('status', '=', 'sending')
      .execute();
    const { accountId, campaignId, messageId: subjectId } = input;
    await appendLog(trx, {
      accountId,
      campaignId,
      subject: { kind: 'message', id: subjectId },
      what: 'end',
      from: 'sending',
      to: status,
      actor: { id: 'system', via: 'system' },
    });
    for (const kind of ['forecast', 'hours_changed'] as const) {
      await resolveAlerts(trx, { accountId, kind, subjectId });
    }
  } else if (texting !== message.texting) {
    await trx.updateTable('messages').set({ texting }).where('id', '=', input.messageId).execute();
  }
  if (texting && !message.texting) {
    const { accountId, messageId: subjectId } = input;
    await resolveAlerts(trx, { accountId, kind: 'hours_changed', subjectId });
  }
  if (texting !== message.texting) await showStatus(trx, input.campaignId);
}

type PlannedMessage = Awaited<ReturnType<typeof readMessage>>;

async function readMessage(trx: Trx, messageId: string) {
  const row = await trx
    .selectFrom('messages as m')
    .innerJoin('campaigns as c', 'c.id', 'm.campaign_id')
    .innerJoin('accounts as a', 'a.id', 'm.account_id')
    .innerJoin('senders as s', 's.id', 'c.sender_id')
    .where('m.id', '=', messageId)
    .select([
      'm.key',
      'm.status',
      'm.texting',
      'm.expires_at as expiresAt',
      'm.planned_at as plannedAt',
      'm.media_ids as mediaIds',
      'a.time_zone as timeZone',
      'a.quiet_start as quietStart',
      'a.quiet_end as quietEnd',
      's.id as senderId',
      's.segments_per_second as segmentsPerSecond',
      's.mms_per_second as mmsPerSecond',
      'c.audience_size as audienceSize',
    ])
    .select(centralScopesOf('c').as('centralScopes'))
    .select(sql<Date | null>`(select max(l.asked_at) from lanes l where l.message_key = m.key)`.as('askedAt'))
    .executeTakeFirstOrThrow();
  const expired = (await readCounters(trx, [row.key])).get(row.key)?.get('expired') ?? 0;
  return {
    key: row.key,
    status: row.status,
    texting: row.texting,
    expiresAt: row.expiresAt?.getTime() ?? null,
    plannedAt: row.plannedAt?.getTime() ?? null,
    askedAt: row.askedAt?.getTime() ?? null,
    timeZone: row.timeZone,
    quietHours: { start: row.quietStart, end: row.quietEnd },
    senderId: row.senderId,
    centralScopes: row.centralScopes,
    pace: row.mediaIds.length > 0 ? row.mmsPerSecond : row.segmentsPerSecond,
    everybodyExpired: expired > 0 && expired === row.audienceSize,
  };
}

/** How many recipients one transaction gives up on. */
const EXPIRE_BATCH = 5_000;

/**
 * Gives up on part of the recipients of a message that has expired: they are `expired` and never texted.
 * Resolves with how many; 0 when nobody is left, or the message has not expired (any more).
 */
export async function expireSome(trx: Trx, input: MessagePlanInput): Promise<number> {
  await lockCampaign(trx, input);
  const { key, status, expiresAt } = await readMessage(trx, input.messageId);
  // The order to give up may be older than a restart that gave the message another time, or an expiry that was put off.
  if (status !== 'sending' || expiresAt === null || input.at < expiresAt) return 0;
  const wave = await trx
    .selectFrom('waves')
    .where('message_key', '=', key)
    .whereRef('next_ordinal', '<', 'size')
    .select(['id', 'wave', 'cohort', 'month', 'campaign_key', 'next_ordinal', 'size', 'repeats', 'round'])
    .orderBy('wave')
    .limit(1)
    .forUpdate()
    .executeTakeFirst();
  if (wave === undefined) return 0;
  const last = Math.min(wave.size, wave.next_ordinal + EXPIRE_BATCH) - 1;
  if (wave.repeats) return leaveOutExpired(trx, input.accountId, key, wave, last);
  const people =
    wave.wave === 0
      ? sql`select c.recipient_first + o.ordinal as recipient from cohorts c,
            generate_series(${wave.next_ordinal}::int, ${last}::int) o(ordinal)
            where c.campaign_key = ${wave.campaign_key} and c.cohort = ${wave.cohort}`
      : sql`select m.recipient from wave_members m
            where m.month = ${wave.month} and m.wave_id = ${wave.id}
              and m.ordinal between ${wave.next_ordinal} and ${last}`;
  await sql`
    insert into outcomes (month, account_id, message_key, recipient, attempt, stage, status)
    select ${wave.month}, ${input.accountId}, ${key}, p.recipient, 0, 'final', 'expired' from (${people}) p`.execute(
    trx,
  );
  await trx
    .updateTable('waves')
    .set({ next_ordinal: last + 1 })
    .where('id', '=', wave.id)
    .execute();
  const expired = last - wave.next_ordinal + 1;
  const deltas: Deltas = new Map();
  count(deltas, 'expired', expired);
  if (wave.wave > 0) count(deltas, 'left_deferral', expired);
  await writeDeltas(trx, input.accountId, key, deltas);
  return expired;
}

/** Whoever is left in a wave that repeats stays what he was. */
async function leaveOutExpired(
  trx: Trx,
  accountId: string,
  messageKey: number,
  wave: {
    readonly id: number;
    readonly month: string;
    readonly next_ordinal: number;
    readonly round: number | null;
  },
  last: number,
): Promise<number> {
  await trx
    .updateTable('wave_members')
    .set({ left_out: 'expired' })
    .where('month', '=', wave.month)
    .where('wave_id', '=', wave.id)
    .where('ordinal', '>=', wave.next_ordinal)
    .where('ordinal', '<=', last)
    .execute();
  await trx
    .updateTable('waves')
    .set({ next_ordinal: last + 1 })
    .where('id', '=', wave.id)
    .execute();
  const expired = last - wave.next_ordinal + 1;
  if (wave.round !== null) {
    const deltas: Deltas = new Map([[roundCounter(wave.round, 'left_out'), expired]]);
    await writeDeltas(trx, accountId, messageKey, deltas);
  }
  return expired;
}

import { sql } from 'kysely';
import type { UnknownState } from '../domain/carrier-list.ts';
import type { RecipientState } from '../domain/next-of-recipient.ts';
import type { Campaign } from './campaigns.ts';
import type { Trx } from './database.ts';
import type { Message } from './messages.ts';
import { listRecipients } from './reports.ts';

/** A recipient of a campaign: who he is, whichever message is meant. */
export interface Recipient {
  /** His number within the audience, from 1. */
  readonly recipient: number;
  readonly contactId: number;
  /** E.164; null once he has been erased. */
  readonly number: string | null;
  readonly numberHash: Buffer;
  readonly firstName: string | null;
  readonly lastName: string | null;
  /** Whether the contact is still there under the number that was frozen. */
  readonly hasContact: boolean;
}

/** One request to the carrier for him, and what came of it. */
export interface AttemptStory {
  readonly attempt: number;
  readonly result: string;
  readonly cause: string | null;
  readonly carrierUuid: string | null;
  readonly segments: number;
  readonly costMicroUsd: number;
  readonly leasedAt: Date;
  readonly recordedAt: Date;
  /** What the carrier's list has said of it, if it is or was unknown. */
  readonly unknown: UnknownStory | null;
}

/** An unknown attempt and the evidence for what became of it. */
export interface UnknownStory {
  readonly state: UnknownState;
  readonly asks: number;
  /** When the list was asked last, and the time that was looked through; null: not yet. Machine time. */
  readonly askedAt: Date | null;
  readonly listedSince: Date | null;
  readonly listedUntil: Date | null;
  /** Records to his number in that time, and those of them that are known to be of other texts. */
  readonly listed: number | null;
  readonly explained: number | null;
  readonly isComplete: boolean | null;
  readonly verdict: string | null;
  readonly nextAskAt: Date;
}

/** What was learnt of him: stages of an attempt, or, of attempt 0, why he was not texted. */
export interface OutcomeStory {
  readonly attempt: number;
  readonly stage: string;
  readonly status: string;
  readonly reason: string | null;
  readonly units: number | null;
  readonly billedMicroUsd: number | null;
  readonly recordedAt: Date;
}

/** Where he stands with one message. */
export interface MessageStory {
  readonly message: Message;
  readonly state: RecipientState;
  readonly attempts: readonly AttemptStory[];
  readonly outcomes: readonly OutcomeStory[];
  /** How many come before him in his wave, and from when on it may be texted (null: since the message is due). */
  readonly ahead: number;
  readonly triedAgainAt: number | null;
}

/** The recipient with this number within the audience, or with this keyed hash of his number. Null if there is none. */
export async function findRecipient(
  trx: Trx,
  campaign: Campaign,
  by: { readonly recipient: number } | { readonly numberHash: Buffer },
): Promise<Recipient | null> {
  if (campaign.audienceFrozenAt === null) return null;
  const his = 'recipient' in by ? sql`r.recipient = ${by.recipient}` : sql`r.number_hash = ${by.numberHash}`;
  const found = await sql<Recipient>`
    select r.recipient, r.contact_id as "contactId", r.number, r.number_hash as "numberHash",
      p.first_name as "firstName", p.last_name as "lastName", p.number is not distinct from r.number as "hasContact"
    from campaigns c join recipients r on r.month = c.audience_month and r.campaign_key = c.key
    left join contacts p on p.id = r.contact_id
    where c.key = ${campaign.key} and ${his}`.execute(trx);
  return found.rows[0] ?? null;
}

/** All that happened to a recipient, message by message. */
export async function readRecipientStory(
  trx: Trx,
  campaign: Campaign,
  messages: readonly Message[],
  recipient: number,
): Promise<MessageStory[]> {
  const stories: MessageStory[] = [];
  for (const message of messages) {
    const query = { states: [], after: recipient - 1, limit: 1 };
    const [line] = await listRecipients(trx, campaign, message, query);
    if (line === undefined) continue;
    stories.push({
      message,
      state: line.state,
      attempts: await readAttempts(trx, campaign, message, recipient),
      outcomes: await readOutcomes(trx, campaign, message, recipient),
      ...(await readTurn(trx, message, recipient, line.state)),
    });
  }
  return stories;
}

async function readAttempts(
  trx: Trx,
  campaign: Campaign,
  message: Message,
  recipient: number,
): Promise<AttemptStory[]> {
  const rows = await trx
    .selectFrom('attempts as a')
    .leftJoin('unknowns as u', (join) =>
      join
        .onRef('u.month', '=', 'a.month')
        .onRef('u.message_key', '=', 'a.message_key')
        .onRef('u.recipient', '=', 'a.recipient')
        .onRef('u.attempt', '=', 'a.attempt'),
    )
    .innerJoin('campaigns as c', 'c.audience_month', 'a.month')
    .innerJoin('leases as l', (join) =>
      join.onRef('l.month', '=', 'a.month').onRef('l.id', '=', 'a.lease_id'),
    )
    .where('c.key', '=', campaign.key)
    .where('a.message_key', '=', message.key)
    .where('a.recipient', '=', recipient)
    .select([
      'a.attempt',
      'a.result',
      'a.cause',
      'a.carrier_uuid as carrierUuid',
      'a.segments',
      'a.cost_micro_usd as costMicroUsd',
      'l.opened_at as leasedAt',
      'a.recorded_at as recordedAt',
      'u.state',
      'u.asks',
      'u.asked_at as askedAt',
      'u.listed_since as listedSince',
      'u.listed_until as listedUntil',
      'u.listed',
      'u.explained',
      'u.is_complete as isComplete',
      'u.verdict',
      'u.next_ask_at as nextAskAt',
    ])
    .orderBy('a.attempt')
    .execute();
  return rows.map(
    ({ attempt, result, cause, carrierUuid, segments, costMicroUsd, leasedAt, recordedAt, ...u }) => {
      const { state, asks, nextAskAt, ...evidence } = u;
      const unknown =
        state === null || asks === null || nextAskAt === null
          ? null
          : { ...evidence, state, asks, nextAskAt };
      return { attempt, result, cause, carrierUuid, segments, costMicroUsd, leasedAt, recordedAt, unknown };
    },
  );
}

async function readOutcomes(
  trx: Trx,
  campaign: Campaign,
  message: Message,
  recipient: number,
): Promise<OutcomeStory[]> {
  return trx
    .selectFrom('outcomes as o')
    .innerJoin('campaigns as c', 'c.audience_month', 'o.month')
    .where('c.key', '=', campaign.key)
    .where('o.message_key', '=', message.key)
    .where('o.recipient', '=', recipient)
    .select([
      'o.attempt',
      'o.stage',
      'o.status',
      'o.reason',
      'o.units',
      'o.billed_micro_usd as billedMicroUsd',
      'o.recorded_at as recordedAt',
    ])
    .orderBy('o.attempt')
    .orderBy('o.recorded_at')
    .execute();
}

/** Who has a turn to wait for: also whoever failed or is unknown, if he is tried again. */
const TURNS: ReadonlySet<RecipientState> = new Set(['waiting', 'deferred', 'failed', 'unknown']);

/** His place in the wave that he waits in. */
async function readTurn(
  trx: Trx,
  message: Message,
  recipient: number,
  state: RecipientState,
): Promise<{ readonly ahead: number; readonly triedAgainAt: number | null }> {
  if (!TURNS.has(state)) return { ahead: 0, triedAgainAt: null };
  const place =
    state === 'waiting'
      ? sql`select w.next_ordinal, w.due_at, ${recipient} - c.recipient_first as ordinal
          from waves w join cohorts c on c.campaign_key = w.campaign_key and c.cohort = w.cohort
          where w.message_key = ${message.key} and w.wave = 0
            and ${recipient} between c.recipient_first and c.recipient_first + c.size - 1`
      : sql`select w.next_ordinal, w.due_at, m.ordinal
          from waves w join wave_members m on m.month = w.month and m.wave_id = w.id
          where w.message_key = ${message.key} and w.wave > 0 and m.recipient = ${recipient}
            and m.ordinal >= w.next_ordinal and w.repeats = ${state !== 'deferred'}
          order by w.wave desc limit 1`;
  const turn = await sql<{ ahead: number; dueAt: Date | null }>`
    select greatest(0, x.ordinal - x.next_ordinal)::int as ahead, x.due_at as "dueAt" from (${place}) x`.execute(
    trx,
  );
  const [found] = turn.rows;
  return { ahead: found?.ahead ?? 0, triedAgainAt: found?.dueAt?.getTime() ?? null };
}

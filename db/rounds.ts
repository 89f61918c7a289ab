import { type RawBuilder, sql } from 'kysely';
import type { Actor } from '../domain/actor.ts';
import { roundCounter } from '../domain/dispatch/result-counters.ts';
import { type RoundKind, type RoundReport, roundReportOf } from '../domain/round.ts';
import type { Campaign } from './campaigns.ts';
import type { Trx } from './database.ts';
import { makeRoom } from './dispatch/later-waves.ts';
import { writeDeltas } from './dispatch/rollup.ts';
import { newId } from './ids.ts';
import { readCounters } from './report-counters.ts';
import { forgetRetries } from './retries.ts';

/** A round as it was ordered, with its line of the report. */
export interface Round extends RoundReport {
  readonly id: string;
  /** From 1 within the campaign. */
  readonly number: number;
  readonly kind: RoundKind;
  readonly orderedBy: string;
  /** Campaign time. */
  readonly orderedAt: Date;
}

/** Whom a round would try again, of some messages: `month, message_key, recipient`. */
export function peopleOfRound(kind: RoundKind, messageKeys: readonly number[]): RawBuilder<unknown> {
  const keys = sql`any(${[...messageKeys]}::bigint[])`;
  if (kind === 'resend_unknown') {
    return sql`
      select u.month, u.message_key, u.recipient from unknowns u
      where u.message_key = ${keys} and u.state in ('open', 'absent', 'final')`;
  }
  return sql`
    select o.month, o.message_key, o.recipient from outcomes o
    where o.message_key = ${keys} and o.status = 'failed' and o.stage = 'final' and not exists (
      select from attempts a where a.month = o.month and a.message_key = o.message_key and a.recipient = o.recipient
        and a.attempt > o.attempt and a.result <> 'not_accepted')`;
}

/** What a round is ordered with. */
export interface RoundOrder {
  readonly campaign: Campaign;
  readonly kind: RoundKind;
  readonly actionId: string;
  readonly actor: Actor;
  /** Campaign time in epoch milliseconds. */
  readonly at: number;
}

/**
 * Writes down whom a round tries again, once and for all, and sets their messages going with their expiry counted anew.
 * The campaign has to be locked. Resolves with how many they are; 0 changes nothing.
 */
export async function insertRound(trx: Trx, order: RoundOrder): Promise<number> {
  const { campaign, kind, at } = order;
  const month = campaign.audienceMonth;
  if (month === null) return 0;
  // What would follow by itself is decided by this order now, and nobody is in two passes.
  await forgetRetries(trx, campaign.id);
  const number = await nextNumber(trx, campaign.id);
  const messages = await trx
    .selectFrom('messages')
    .where('campaign_id', '=', campaign.id)
    .where('status', 'in', ['sent', 'expired'])
    .select(['id', 'key', 'expires_after_ms as expiresAfterMs'])
    .orderBy('position')
    .execute();
  let recipients = 0;
  for (const message of messages) {
    const added = await addPeople(trx, order, { month, messageKey: message.key, number });
    if (added === 0) continue;
    recipients += added;
    await trx
      .updateTable('messages')
      .set((set) => ({
        status: 'sending' as const,
        ended_at: null,
        expires_at: new Date(at + message.expiresAfterMs),
        version: set('version', '+', 1),
      }))
      .where('id', '=', message.id)
      .execute();
  }
  if (recipients === 0) return 0;
  await trx
    .insertInto('rounds')
    .values({
      id: newId('rnd'),
      account_id: campaign.accountId,
      campaign_id: campaign.id,
      number,
      kind,
      action_id: order.actionId,
      ordered_by: order.actor.id,
      ordered_at: new Date(at),
    })
    .execute();
  return recipients;
}

async function nextNumber(trx: Trx, campaignId: string): Promise<number> {
  const { count } = await trx
    .selectFrom('rounds')
    .where('campaign_id', '=', campaignId)
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return count + 1;
}

/** Each cohort has a wave of its own; reports that come meanwhile make it smaller, so it is measured when written. */
async function addPeople(
  trx: Trx,
  { campaign, kind, at }: RoundOrder,
  of: { readonly month: string; readonly messageKey: number; readonly number: number },
): Promise<number> {
  const { key: campaignKey, accountId } = campaign;
  const { month, messageKey } = of;
  const cohorts = await trx
    .selectFrom('cohorts')
    .where('campaign_key', '=', campaignKey)
    .select(['cohort', 'recipient_first as first', 'size'])
    .execute();
  let all = 0;
  for (const { cohort, first, size } of cohorts) {
    const place = { accountId, month, campaignKey, messageKey, cohort };
    const wave = await makeRoom(trx, place, 0, at, { round: of.number });
    const written = await sql`
      insert into wave_members (month, account_id, wave_id, ordinal, recipient, attempt)
      select p.month, ${accountId}, ${wave.id}, row_number() over (order by p.recipient) - 1, p.recipient,
        (select max(a.attempt) + 1 from attempts a where a.month = p.month and a.message_key = p.message_key
          and a.recipient = p.recipient)
      from (${peopleOfRound(kind, [messageKey])}) p
      where p.recipient between ${first} and ${first + size - 1}`.execute(trx);
    const added = Number(written.numAffectedRows ?? 0);
    all += added;
    const ofWave = trx.updateTable('waves').where('id', '=', wave.id);
    if (added > 0) await ofWave.set({ size: added }).execute();
    else await trx.deleteFrom('waves').where('id', '=', wave.id).execute();
  }
  await writeDeltas(trx, accountId, messageKey, new Map([[roundCounter(of.number, 'recipients'), all]]));
  return all;
}

/** The rounds of a campaign in their order, each with its line of the report: exact at any moment. */
export async function readRounds(trx: Trx, campaignId: string): Promise<Round[]> {
  const rounds = await trx
    .selectFrom('rounds')
    .where('campaign_id', '=', campaignId)
    .select(['id', 'number', 'kind', 'ordered_by as orderedBy', 'ordered_at as orderedAt'])
    .orderBy('number')
    .execute();
  if (rounds.length === 0) return [];
  const messages = await trx
    .selectFrom('messages')
    .where('campaign_id', '=', campaignId)
    .select('key')
    .execute();
  const counters = new Map<string, number>();
  const ofMessages = await readCounters(
    trx,
    messages.map(({ key }) => key),
  );
  for (const own of ofMessages.values()) {
    for (const [counter, value] of own) counters.set(counter, (counters.get(counter) ?? 0) + value);
  }
  return rounds.map((round) => ({ ...round, ...roundReportOf(counters, round.number) }));
}

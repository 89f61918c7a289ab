import { sql } from 'kysely';
import { type NotedRetry, retryDueAt } from '../domain/retry.ts';
import type { Trx } from './database.ts';
import { appendLater, type LaterMember } from './dispatch/later-waves.ts';

/** A message whose new attempts are decided. */
export interface MessageOfRetries {
  readonly accountId: string;
  readonly messageKey: number;
  /** Campaign time in epoch milliseconds; nobody is tried again from then on. */
  readonly expiresAt: number | null;
}

/** So many are decided in one transaction; the rest is next time. */
const BATCH = 20_000;

interface Noted extends NotedRetry {
  readonly month: string;
  readonly campaignKey: number;
  readonly cohort: number;
  readonly recipient: number;
  readonly attempt: number;
}

/**
 * Puts everybody of a message into later waves after whose last attempt a new one follows by itself, and forgets those
 * for whom there is none any more. `at` is campaign time. Resolves with how many are tried again.
 */
export async function collectRetries(trx: Trx, message: MessageOfRetries, at: number): Promise<number> {
  const noted = await takeNoted(trx, message.messageKey);
  const waves = new Map<string, { readonly of: Noted; readonly dueAt: number; members: LaterMember[] }>();
  let count = 0;
  for (const one of noted) {
    const dueAt = retryDueAt(one, at, message.expiresAt);
    if (dueAt === null) continue;
    const key = `${one.cohort} ${dueAt}`;
    const wave = waves.get(key) ?? { of: one, dueAt, members: [] };
    waves.set(key, wave);
    wave.members.push({ recipient: one.recipient, attempt: one.attempt + 1 });
    count += 1;
  }
  for (const { of, dueAt, members } of waves.values()) {
    const { accountId, messageKey } = message;
    await appendLater(trx, { ...of, accountId, messageKey }, members, dueAt, { round: null });
  }
  return count;
}

async function takeNoted(trx: Trx, messageKey: number): Promise<readonly Noted[]> {
  const rows = await sql<Noted>`
    with taken as (
      delete from retries r using (
        select month, recipient, attempt from retries where message_key = ${messageKey}
        order by recipient limit ${BATCH} for update skip locked
      ) x
      where r.month = x.month and r.message_key = ${messageKey} and r.recipient = x.recipient and r.attempt = x.attempt
      returning r.*
    )
    select t.month, c.campaign_key as "campaignKey", c.cohort, t.recipient, t.attempt, t.why, t.code,
      (select count(*)::int from outcomes o where o.month = t.month and o.message_key = ${messageKey}
        and o.recipient = t.recipient and o.stage = 'final' and o.status = 'failed') as failures,
      (select count(*)::int from unknowns u where u.month = t.month and u.message_key = ${messageKey}
        and u.recipient = t.recipient and u.state <> 'accepted') as unknowns
    from taken t
    join messages m on m.key = ${messageKey} join campaigns k on k.id = m.campaign_id
    join cohorts c on c.campaign_key = k.key and t.recipient between c.recipient_first and c.recipient_first + c.size - 1
    where not exists (select from attempts a where a.month = t.month and a.message_key = ${messageKey}
      and a.recipient = t.recipient and a.attempt > t.attempt)
    -- A round, or the carrier's list, may have given him his next attempt before this was told.
    and not exists (select from waves w join wave_members x on x.month = w.month and x.wave_id = w.id
      where w.message_key = ${messageKey} and w.repeats and x.recipient = t.recipient and x.attempt > t.attempt)
    order by t.recipient`.execute(trx);
  return rows.rows;
}

/** Messages of a campaign that were over, and after whose attempts new ones may follow by themselves. */
export async function messagesWithRetries(trx: Trx, campaignId: string): Promise<ReadonlySet<number>> {
  const rows = await sql<{ key: number }>`
    select m.key from messages m where m.campaign_id = ${campaignId} and m.status = 'sent'
      and exists (select from retries r where r.message_key = m.key)`.execute(trx);
  return new Set(rows.rows.map((row) => row.key));
}

/** Nothing follows by itself any more, as the campaign rests or its owner has ordered otherwise. */
export async function forgetRetries(trx: Trx, campaignId: string): Promise<void> {
  await sql`
    delete from retries r using messages m where m.campaign_id = ${campaignId} and r.message_key = m.key`.execute(
    trx,
  );
}

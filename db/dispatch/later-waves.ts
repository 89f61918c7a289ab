import { sql } from 'kysely';
import type { Trx } from '../database.ts';
import type { RepeatsOf } from './repeats.ts';

/** The cohort of a message that a later wave is made for. */
export interface CohortOfMessage {
  readonly accountId: string;
  readonly month: string;
  readonly campaignKey: number;
  readonly messageKey: number;
  readonly cohort: number;
}

/** Who is to be texted later, with the number of the attempt that is then granted. */
export interface LaterMember {
  readonly recipient: number;
  readonly attempt: number;
}

/**
 * Puts people into a later wave: the newest one of its kind that has not begun and is due no earlier, else the next.
 * `dueAt` is campaign time in epoch milliseconds.
 */
export async function appendLater(
  trx: Trx,
  of: CohortOfMessage,
  members: readonly LaterMember[],
  dueAt: number,
  repeats: RepeatsOf | null,
): Promise<void> {
  if (members.length === 0) return;
  const target = await makeRoom(trx, of, members.length, dueAt, repeats);
  await sql`
    insert into wave_members (month, account_id, wave_id, ordinal, recipient, attempt)
    select ${of.month}, ${of.accountId}, ${target.id}, ${target.ordinalFirst} + x.position - 1, x.recipient, x.attempt
    from unnest(${members.map((one) => one.recipient)}::int[], ${members.map((one) => one.attempt)}::smallint[])
      with ordinality as x(recipient, attempt, position)`.execute(trx);
}

/** A wave with so many places at its end, for members that are written in this transaction. */
export async function makeRoom(
  trx: Trx,
  of: CohortOfMessage,
  size: number,
  dueAt: number,
  repeats: RepeatsOf | null,
): Promise<{ readonly id: number; readonly ordinalFirst: number }> {
  // The lock is a statement of its own, so that the next one sees what its last holder committed.
  await sql`select pg_advisory_xact_lock(hashtextextended('wave ' || ${of.messageKey}::text, ${of.cohort}))`.execute(
    trx,
  );
  const newest = await sql<{ id: number; wave: number; isUntouched: boolean }>`
    select id, wave, (wave > 0 and next_ordinal = 0 and due_at >= ${new Date(dueAt)}
      and repeats = ${repeats !== null} and round is not distinct from ${repeats?.round ?? null}::int) as "isUntouched"
    from waves where message_key = ${of.messageKey} and cohort = ${of.cohort}
    order by wave desc limit 1`.execute(trx);
  const last = newest.rows[0];
  if (last === undefined) throw new Error('A cohort has no wave.');
  return last.isUntouched
    ? growWave(trx, last.id, size)
    : addWave(trx, of, last.wave + 1, size, dueAt, repeats);
}

async function growWave(trx: Trx, id: number, by: number): Promise<{ id: number; ordinalFirst: number }> {
  const grown = await trx
    .updateTable('waves')
    .set((set) => ({ size: set('size', '+', by) }))
    .where('id', '=', id)
    .returning('size')
    .executeTakeFirstOrThrow();
  return { id, ordinalFirst: grown.size - by };
}

async function addWave(
  trx: Trx,
  of: CohortOfMessage,
  number: number,
  size: number,
  dueAt: number,
  repeats: RepeatsOf | null,
): Promise<{ id: number; ordinalFirst: number }> {
  const added = await trx
    .insertInto('waves')
    .values({
      month: of.month,
      account_id: of.accountId,
      campaign_key: of.campaignKey,
      message_key: of.messageKey,
      cohort: of.cohort,
      wave: number,
      size,
      due_at: new Date(dueAt),
      repeats: repeats !== null,
      round: repeats?.round ?? null,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return { id: added.id, ordinalFirst: 0 };
}

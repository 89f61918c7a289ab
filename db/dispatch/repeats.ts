import { sql } from 'kysely';
import type { AttemptResult } from '../../domain/dispatch/dispatch-store.ts';
import type { Trx } from '../database.ts';

/** A wave whose members stay what they were until a new attempt has a result. */
export interface RepeatsOf {
  /** The round that ordered it; null: it follows by itself. */
  readonly round: number | null;
}

/**
 * Locks what decides which attempt of a recipient counts, if anybody of the message is tried again. It comes before any
 * row of the ledger, in the order of messages. Resolves with whether it did.
 */
export async function lockRepeats(trx: Trx, messageKey: number): Promise<boolean> {
  const wave = await trx
    .selectFrom('waves')
    .where('message_key', '=', messageKey)
    .where('repeats', '=', true)
    .select('id')
    .limit(1)
    .executeTakeFirst();
  if (wave === undefined) return false;
  await sql`select lock_repeats(${messageKey})`.execute(trx);
  return true;
}

/** The wave that a lease is of, if it repeats; null otherwise. */
export async function repeatsOfLease(
  trx: Trx,
  lease: { readonly month: string; readonly id: number },
): Promise<RepeatsOf | null> {
  const wave = await trx
    .selectFrom('leases as l')
    .innerJoin('waves as w', 'w.id', 'l.wave_id')
    .where('l.month', '=', lease.month)
    .where('l.id', '=', lease.id)
    .where('w.repeats', '=', true)
    .select('w.round')
    .executeTakeFirst();
  return wave ?? null;
}

/** These have a result: what they counted for before counts no more. Whoever was certainly not accepted stays it. */
export async function leaveFormerStates(
  trx: Trx,
  lease: { readonly month: string; readonly messageKey: number },
  results: readonly (Pick<AttemptResult, 'recipient' | 'attempt'> & Partial<Pick<AttemptResult, 'result'>>)[],
): Promise<void> {
  const moved = results.filter(({ result }) => result !== 'not_accepted');
  if (moved.length === 0) return;
  await sql`
    select leave_former_state(${lease.month}, ${lease.messageKey}, x.recipient, x.attempt)
    from (select * from unnest(${moved.map((one) => one.recipient)}::int[],
      ${moved.map((one) => one.attempt)}::smallint[]) as u(recipient, attempt) order by 1) x`.execute(trx);
}

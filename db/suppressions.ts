import { sql } from 'kysely';
import type { Trx } from './database.ts';

/** Why a number must not be texted. */
export type SuppressionKind = 'opt_out' | 'undeliverable' | 'manual' | 'erased';

/** Changes tell every worker; the payload is + or -, the account's id, a space and the keyed hash. */
export const SUPPRESSION_CHANNEL = 'carillon_suppressions';

/** Suppresses a number for an account, or for one of its senders only. True if it was not suppressed before. */
export async function suppress(
  trx: Trx,
  suppression: {
    readonly accountId: string;
    readonly numberHash: Buffer;
    readonly number: string;
    readonly kind: SuppressionKind;
    readonly senderId: string | null;
    readonly source: string;
  },
): Promise<boolean> {
  const added = await trx
    .insertInto('suppressions')
    .values({
      account_id: suppression.accountId,
      number_hash: suppression.numberHash,
      number: suppression.number,
      kind: suppression.kind,
      sender_id: suppression.senderId,
      source: suppression.source,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  await tellWorkers(trx, '+', suppression.accountId, suppression.numberHash);
  return added !== undefined;
}

/** Lifts the opt-outs of a number; other kinds stay. Resolves with how many were lifted. */
export async function liftOptOut(trx: Trx, accountId: string, numberHash: Buffer): Promise<number> {
  const lifted = await trx
    .deleteFrom('suppressions')
    .where('account_id', '=', accountId)
    .where('number_hash', '=', numberHash)
    .where('kind', '=', 'opt_out')
    .returning('id')
    .execute();
  if (lifted.length > 0) await tellWorkers(trx, '-', accountId, numberHash);
  return lifted.length;
}

/** Whether the number has opted out of the account. */
export async function isOptedOut(trx: Trx, accountId: string, numberHash: Buffer): Promise<boolean> {
  const row = await trx
    .selectFrom('suppressions')
    .where('account_id', '=', accountId)
    .where('number_hash', '=', numberHash)
    .where('kind', '=', 'opt_out')
    .select('id')
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

async function tellWorkers(trx: Trx, sign: '+' | '-', accountId: string, numberHash: Buffer): Promise<void> {
  const payload = `${sign}${accountId} ${numberHash.toString('hex')}`;
  await sql`select pg_notify(${SUPPRESSION_CHANNEL}, ${payload})`.execute(trx);
}

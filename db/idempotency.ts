import { sql } from 'kysely';
import type { Trx } from './database.ts';

/** Names a key of a caller. */
export interface IdempotencyKey {
  readonly accountId: string;
  readonly apiKeyId: string;
  readonly key: string;
}

/** `new` is ours to carry out; `stored` was answered before; `in_flight` is carried out by a twin right now. */
export type IdempotencyClaim =
  | { readonly kind: 'new' }
  | { readonly kind: 'in_flight' }
  | {
      readonly kind: 'stored';
      readonly requestHash: string;
      readonly status: number;
      readonly body: unknown;
    };

/**
 * Claims a key for this transaction. A twin is known by a lock that its transaction holds, so nobody waits
 * and a twin that dies leaves nothing behind.
 */
export async function claimIdempotencyKey(
  trx: Trx,
  claim: IdempotencyKey & { readonly requestHash: string },
): Promise<IdempotencyClaim> {
  const lock = await sql<{ got: boolean }>`
    select pg_try_advisory_xact_lock(hashtextextended(${`${claim.apiKeyId} ${claim.accountId} ${claim.key}`}, 7)) as got`.execute(
    trx,
  );
  if (lock.rows[0]?.got !== true) return { kind: 'in_flight' };
  const stored = await trx
    .selectFrom('idempotency_keys')
    .where('account_id', '=', claim.accountId)
    .where('api_key_id', '=', claim.apiKeyId)
    .where('key', '=', claim.key)
    .select(['request_hash', 'status', 'body'])
    .executeTakeFirst();
  if (stored !== undefined) {
    return {
      kind: 'stored',
      requestHash: stored.request_hash,
      status: stored.status ?? 200,
      body: stored.body,
    };
  }
  await trx
    .insertInto('idempotency_keys')
    .values({
      account_id: claim.accountId,
      api_key_id: claim.apiKeyId,
      key: claim.key,
      request_hash: claim.requestHash,
    })
    .execute();
  return { kind: 'new' };
}

/** Keeps the answer, in the transaction that made what it tells of. */
export async function storeIdempotentAnswer(
  trx: Trx,
  answer: IdempotencyKey & { readonly status: number; readonly body: unknown },
): Promise<void> {
  await trx
    .updateTable('idempotency_keys')
    .set({ status: answer.status, body: JSON.stringify(answer.body) })
    .where('account_id', '=', answer.accountId)
    .where('api_key_id', '=', answer.apiKeyId)
    .where('key', '=', answer.key)
    .execute();
}

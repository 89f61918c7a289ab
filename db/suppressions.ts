import { sql } from 'kysely';
import type { Actor } from '../domain/actor.ts';
import { parsePublicId, publicId } from '../domain/public-id.ts';
import type { SuppressionKind, SuppressionSource } from '../domain/suppression.ts';
import type { Trx } from './database.ts';

/**
 * Changes tell every worker. The payload is + or -, the account's id, a space and the keyed hash, with another space and
 * a sender's id where it holds for that one only; or * and the account's id, when so many numbers were suppressed at once
 * that its leases are better asked for anew.
 */
export const SUPPRESSION_CHANNEL = 'carillon_suppressions';

/** The prefix of a suppression's public id. */
export const SUPPRESSION_PREFIX = 'sup';

/** A number that must not be texted. */
export interface Suppression {
  readonly id: string;
  readonly kind: SuppressionKind;
  /** Null: it holds for every sender of the account. */
  readonly senderId: string | null;
  /** E.164; null once its owner has been erased. */
  readonly number: string | null;
  readonly source: SuppressionSource;
  readonly reason: string | null;
  readonly addedBy: string;
  readonly importId: string | null;
  readonly createdAt: Date;
}

/** Whom to suppress, why, and who says so. */
export interface NewSuppression {
  readonly accountId: string;
  readonly numberHash: Buffer;
  /** Null where nothing but the hash may be kept. */
  readonly number: string | null;
  readonly kind: SuppressionKind;
  readonly senderId: string | null;
  readonly source: SuppressionSource;
  readonly actor: Actor;
  readonly reason?: string | null;
}

const COLUMNS = [
  'id',
  'kind',
  'sender_id as senderId',
  'number',
  'source',
  'reason',
  'added_by as addedBy',
  'import_id as importId',
  'created_at as createdAt',
] as const;

/** The key of a suppression's public id; null if it is not the id of one. */
export function suppressionKey(id: string): number | null {
  const key = parsePublicId(SUPPRESSION_PREFIX, id);
  return key === null || key > BigInt(Number.MAX_SAFE_INTEGER) ? null : Number(key);
}

/** Suppresses a number for an account, or for one of its senders only. Resolves with its id if it was not before. */
export async function suppress(trx: Trx, suppression: NewSuppression): Promise<string | null> {
  const { accountId, numberHash, kind, senderId, source, actor, reason = null } = suppression;
  const added = await trx
    .insertInto('suppressions')
    .values({
      account_id: accountId,
      number_hash: numberHash,
      number: suppression.number,
      kind,
      sender_id: senderId,
      source,
      reason,
      added_by: actor.id,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  if (added !== undefined) {
    await appendHistory(trx, { accountId, numberHash, kind, senderId, source, actor, reason, what: 'added' });
  }
  await tellWorkers(trx, '+', accountId, numberHash, senderId);
  return added === undefined ? null : idOf(added.id);
}

/** Lifts the opt-outs of a number; other kinds stay. Resolves with how many were lifted. */
export async function liftOptOut(trx: Trx, accountId: string, numberHash: Buffer): Promise<number> {
  const lifted = await trx
    .deleteFrom('suppressions')
    .where('account_id', '=', accountId)
    .where('number_hash', '=', numberHash)
    .where('kind', '=', 'opt_out')
    .returning('sender_id as senderId')
    .execute();
  for (const { senderId } of lifted) {
    const actor: Actor = { id: 'system', via: 'system' };
    const entry = { accountId, numberHash, kind: 'opt_out', senderId, source: 'inbound', actor } as const;
    await appendHistory(trx, { ...entry, what: 'removed', reason: null });
  }
  for (const { senderId } of lifted) await tellOfLifting(trx, accountId, numberHash, senderId);
  return lifted.length;
}

/** Removes one suppression on somebody's word. Resolves with its number's hash, or null if it is gone already. */
export async function removeSuppression(
  trx: Trx,
  removal: {
    readonly accountId: string;
    readonly id: string;
    readonly reason: string | null;
    readonly actor: Actor;
  },
): Promise<Buffer | null> {
  const { accountId, reason, actor } = removal;
  const removed = await trx
    .deleteFrom('suppressions')
    .where('id', '=', suppressionKey(removal.id))
    .returning(['number_hash as numberHash', 'kind', 'sender_id as senderId'])
    .executeTakeFirst();
  if (removed === undefined) return null;
  await appendHistory(trx, { accountId, ...removed, source: 'api', actor, reason, what: 'removed' });
  await tellOfLifting(trx, accountId, removed.numberHash, removed.senderId);
  return removed.numberHash;
}

/** The suppression with this id, or null. */
export async function findSuppression(trx: Trx, id: string): Promise<Suppression | null> {
  const key = suppressionKey(id);
  if (key === null) return null;
  const row = await trx.selectFrom('suppressions').where('id', '=', key).select(COLUMNS).executeTakeFirst();
  return row === undefined ? null : suppressionOf(row);
}

/** Every suppression of a number, for whichever senders it holds. */
export async function suppressionsOf(
  trx: Trx,
  accountId: string,
  numberHash: Buffer,
): Promise<Suppression[]> {
  const rows = await trx
    .selectFrom('suppressions')
    .where('account_id', '=', accountId)
    .where('number_hash', '=', numberHash)
    .select(COLUMNS)
    .orderBy('id')
    .execute();
  return rows.map(suppressionOf);
}

/** Suppressions after a cursor, in the order in which they were made; of some kinds only if they are named. */
export async function listSuppressions(
  trx: Trx,
  query: {
    readonly accountId: string;
    readonly kinds: readonly SuppressionKind[];
    readonly afterKey: number;
    readonly limit: number;
  },
): Promise<Suppression[]> {
  let rows = trx
    .selectFrom('suppressions')
    .where('account_id', '=', query.accountId)
    .where('id', '>', query.afterKey)
    .select(COLUMNS)
    .orderBy('id')
    .limit(query.limit);
  if (query.kinds.length > 0) rows = rows.where('kind', 'in', query.kinds);
  return (await rows.execute()).map(suppressionOf);
}

/** Whether the number is suppressed as this kind, for any sender. */
export async function isSuppressedAs(
  trx: Trx,
  kind: SuppressionKind,
  accountId: string,
  numberHash: Buffer,
): Promise<boolean> {
  const row = await trx
    .selectFrom('suppressions')
    .where('account_id', '=', accountId)
    .where('number_hash', '=', numberHash)
    .where('kind', '=', kind)
    .select('id')
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

interface HistoryEntry extends Omit<NewSuppression, 'number'> {
  readonly what: 'added' | 'removed';
}

async function appendHistory(trx: Trx, entry: HistoryEntry): Promise<void> {
  await trx
    .insertInto('suppression_history')
    .values({
      account_id: entry.accountId,
      number_hash: entry.numberHash,
      kind: entry.kind,
      sender_id: entry.senderId,
      what: entry.what,
      source: entry.source,
      reason: entry.reason ?? null,
      who: entry.actor.id,
      via: entry.actor.via,
      key_id: entry.actor.keyId ?? null,
    })
    .execute();
}

/** A number that is still suppressed in another way must not be forgotten by workers that have leased it. */
async function tellOfLifting(
  trx: Trx,
  accountId: string,
  numberHash: Buffer,
  senderId: string | null,
): Promise<void> {
  const left = await suppressionsOf(trx, accountId, numberHash);
  if (left.every((one) => one.senderId !== senderId))
    await tellWorkers(trx, '-', accountId, numberHash, senderId);
}

async function tellWorkers(
  trx: Trx,
  sign: '+' | '-',
  accountId: string,
  numberHash: Buffer,
  senderId: string | null,
): Promise<void> {
  const of = senderId === null ? '' : ` ${senderId}`;
  const payload = `${sign}${accountId} ${numberHash.toString('hex')}${of}`;
  await sql`select pg_notify(${SUPPRESSION_CHANNEL}, ${payload})`.execute(trx);
}

function suppressionOf(row: Omit<Suppression, 'id'> & { readonly id: number }): Suppression {
  return { ...row, id: idOf(row.id) };
}

function idOf(key: number): string {
  return publicId(SUPPRESSION_PREFIX, String(key));
}

import { sql } from 'kysely';
import type { Db, Trx } from './database.ts';
import { newId } from './ids.ts';

/** A key as authentication sees it. */
export interface ApiKeyRecord {
  readonly id: string;
  /** The account, or the word `operator`. */
  readonly accountId: string;
  /** SHA-256 of the secret part. */
  readonly hash: Buffer;
  readonly scopes: readonly string[];
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
}

/** A key as its owner sees it; the secret is shown once, when it is made. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: readonly string[];
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  readonly createdAt: Date;
}

/** Finds a key by its public prefix, before the account is known. */
export async function findApiKey(db: Db, prefix: string): Promise<ApiKeyRecord | null> {
  const found = await sql<ApiKeyRecord>`
    select id, account_id as "accountId", hash, scopes, expires_at as "expiresAt", revoked_at as "revokedAt"
    from find_api_key(${prefix})`.execute(db);
  return found.rows[0] ?? null;
}

/** Keeps a new key's prefix and hash. */
export async function insertApiKey(
  trx: Trx,
  key: {
    readonly accountId: string;
    readonly name: string;
    readonly prefix: string;
    readonly hash: Buffer;
    readonly scopes: readonly string[];
    readonly expiresAt: Date | null;
  },
): Promise<string> {
  const id = newId('key');
  await trx
    .insertInto('api_keys')
    .values({
      id,
      account_id: key.accountId,
      name: key.name,
      prefix: key.prefix,
      hash: key.hash,
      scopes: [...key.scopes],
      expires_at: key.expiresAt,
    })
    .execute();
  return id;
}

/** The keys of the account, newest first. */
export async function listApiKeys(trx: Trx): Promise<ApiKey[]> {
  return trx
    .selectFrom('api_keys')
    .select([
      'id',
      'name',
      'prefix',
      'scopes',
      'expires_at as expiresAt',
      'revoked_at as revokedAt',
      'created_at as createdAt',
    ])
    .orderBy('id', 'desc')
    .execute();
}

/** Revokes a key at once. False when the account has none of this id. */
export async function revokeApiKey(trx: Trx, id: string): Promise<boolean> {
  const revoked = await trx
    .updateTable('api_keys')
    .set({ revoked_at: sql<Date>`coalesce(revoked_at, clock_timestamp())` })
    .where('id', '=', id)
    .returning('id')
    .executeTakeFirst();
  return revoked !== undefined;
}

import { sql } from 'kysely';
import type { Db, Trx } from './database.ts';
import { newId } from './ids.ts';
import { type Listed, nameHas, type Order, orderOf, type Part } from './listing.ts';
import { prepareQuery } from './prepared-query.ts';

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
  /** Its last use was noted a minute ago or longer, or never. */
  readonly useIsOld: boolean;
  /** The account is disabled: its keys read, and do nothing else. */
  readonly accountIsDisabled: boolean;
}

/** A key as its owner sees it; the secret is shown once, when it is made. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly prefix: string;
  readonly scopes: readonly string[];
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  /** Exact to a minute; null when it was never used. */
  readonly lastUsedAt: Date | null;
  /** The key that a rotation put in its place. */
  readonly replacedBy: string | null;
  readonly createdAt: Date;
  readonly version: number;
}

/** What can be changed of a key. */
export interface ApiKeyChanges {
  readonly name?: string;
  readonly expiresAt?: Date | null;
  readonly replacedBy?: string;
}

const COLUMNS = [
  'api_keys.id',
  'name',
  'prefix',
  'scopes',
  'expires_at as expiresAt',
  'revoked_at as revokedAt',
  'replaced_by as replacedBy',
  'created_at as createdAt',
  'version',
] as const;
const LAST_USED = sql<Date | null>`(select u.last_used_at from api_key_uses u where u.key_id = api_keys.id)`;

/** Finds a key by its public prefix, before the account is known. Never cached, so that a revocation holds at once. */
export async function findApiKey(db: Db, prefix: string): Promise<ApiKeyRecord | null> {
  const [key = null] = await askForKey(db, { prefix });
  return key;
}

const askForKey = prepareQuery((db, { prefix }: { readonly prefix: string }) =>
  sql<ApiKeyRecord>`
    select id, account_id as "accountId", hash, scopes, expires_at as "expiresAt", revoked_at as "revokedAt",
      use_is_old as "useIsOld", account_is_disabled as "accountIsDisabled"
    from find_api_key(${prefix})`.compile(db),
);

/** Notes that a key is used now; at most once a minute, whoever else notes it. */
export async function touchApiKey(db: Db, id: string): Promise<void> {
  await sql`select touch_api_key(${id})`.execute(db);
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

/** What keys can be sorted by. */
export const KEY_SORTS = ['createdAt', 'name', 'expiresAt', 'lastUsedAt'] as const;
/** What a key can be: only active ones are taken. */
export const KEY_STATES = ['active', 'expired', 'revoked'] as const;

/** Which keys; several values of a filter are joined by or. */
export interface KeyQuery extends Order<(typeof KEY_SORTS)[number]>, Part {
  /** A part of the name. */
  readonly q?: string;
  readonly states?: readonly (typeof KEY_STATES)[number][];
  readonly scopes?: readonly string[];
  /** The instant at which states are judged. */
  readonly at: Date;
}

/** A page of the keys of the account, and how many there are. */
export async function listApiKeys(trx: Trx, query: KeyQuery): Promise<Listed<ApiKey>> {
  let rows = trx.selectFrom('api_keys');
  const { q, states, scopes } = query;
  if (q !== undefined) rows = rows.where(nameHas(sql.ref('name'), q));
  if (scopes !== undefined) rows = rows.where(sql<boolean>`scopes && ${[...scopes]}::text[]`);
  if (states !== undefined) {
    const state = sql<string>`case when revoked_at is not null then 'revoked'
      when expires_at <= ${query.at} then 'expired' else 'active' end`;
    rows = rows.where(state, 'in', states);
  }
  const sorts = {
    createdAt: sql.ref('created_at'),
    name: sql`lower(name)`,
    expiresAt: sql.ref('expires_at'),
    lastUsedAt: LAST_USED,
  };
  const [{ total }, items] = await Promise.all([
    rows.select((select) => select.fn.countAll<number>().as('total')).executeTakeFirstOrThrow(),
    rows
      .select([...COLUMNS, LAST_USED.as('lastUsedAt')])
      .orderBy(orderOf(sorts[query.sort], query))
      .limit(query.limit)
      .offset(query.offset)
      .execute(),
  ]);
  return { items, total };
}

/** The key, or null when the account has none of this id. */
export async function readApiKey(trx: Trx, id: string): Promise<ApiKey | null> {
  const row = await trx
    .selectFrom('api_keys')
    .where('id', '=', id)
    .select([...COLUMNS, LAST_USED.as('lastUsedAt')])
    .executeTakeFirst();
  return row ?? null;
}

/** The same, locked until the transaction ends, so that two who rotate or revoke it do so one after the other. */
export async function lockApiKey(trx: Trx, id: string): Promise<ApiKey | null> {
  const row = await trx
    .selectFrom('api_keys')
    .where('id', '=', id)
    .select([...COLUMNS, LAST_USED.as('lastUsedAt')])
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row ?? null;
}

/** Changes a key. */
export async function updateApiKey(trx: Trx, id: string, changes: ApiKeyChanges): Promise<void> {
  await trx
    .updateTable('api_keys')
    .set((set) => ({
      ...(changes.name === undefined ? {} : { name: changes.name }),
      ...(changes.expiresAt === undefined ? {} : { expires_at: changes.expiresAt }),
      ...(changes.replacedBy === undefined ? {} : { replaced_by: changes.replacedBy }),
      version: set('version', '+', 1),
    }))
    .where('id', '=', id)
    .execute();
}

/** Revokes a key at once. False when it is revoked already, and then it stays as it is. */
export async function revokeApiKey(trx: Trx, id: string): Promise<boolean> {
  const revoked = await trx
    .updateTable('api_keys')
    .set((set) => ({ revoked_at: sql<Date>`clock_timestamp()`, version: set('version', '+', 1) }))
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .returning('id')
    .executeTakeFirst();
  return revoked !== undefined;
}

/**
 * Whether the account has a key beside this one that is good at an instant. All of them are locked in one order, so
 * that two who revoke the last two do not both find the other's.
 */
export async function hasOtherKey(trx: Trx, id: string, at: Date): Promise<boolean> {
  const keys = await trx
    .selectFrom('api_keys')
    .where('revoked_at', 'is', null)
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', at)]))
    .select('id')
    .orderBy('id')
    .forNoKeyUpdate()
    .execute();
  return keys.some((key) => key.id !== id);
}

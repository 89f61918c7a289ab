import { sql } from 'kysely';
import type { Db, Trx } from './database.ts';
import { newId } from './ids.ts';
import { type Listed, nameHas, type Order, orderOf, type Part } from './listing.ts';
import { type SealingKey, unseal } from './sealing.ts';

/** Credentials of an account at a carrier. */
export interface CarrierCredentials {
  readonly authId: string;
  readonly authToken: string;
}

/** A carrier account as an operator sees it; its token is never shown. */
export interface CarrierAccount {
  readonly id: string;
  readonly name: string;
  readonly carrier: string;
  /** Null: the credentials of the environment. */
  readonly authId: string | null;
  /** 0 is no limit. */
  readonly requestsMax: number;
  readonly requestsWindowMs: number;
  readonly createdAt: Date;
  readonly version: number;
}

const DEFAULT_NAME = 'default';
const COLUMNS = [
  'id',
  'name',
  'carrier',
  'auth_id as authId',
  'requests_max as requestsMax',
  'requests_window_ms as requestsWindowMs',
  'created_at as createdAt',
  'version',
] as const;

/** The carrier account that senders name unless told otherwise; made at the first start, with the credentials of the environment. */
export async function ensureDefaultCarrierAccount(trx: Trx): Promise<string> {
  await sql`select pg_advisory_xact_lock(hashtext('carillon default carrier account'))`.execute(trx);
  const known = await trx
    .selectFrom('carrier_accounts')
    .where('name', '=', DEFAULT_NAME)
    .select('id')
    .executeTakeFirst();
  if (known !== undefined) return known.id;
  const id = newId('car');
  await trx.insertInto('carrier_accounts').values({ id, name: DEFAULT_NAME, carrier: 'plivo' }).execute();
  return id;
}

/** What carrier accounts can be sorted by. */
export const CARRIER_ACCOUNT_SORTS = ['createdAt', 'name'] as const;

/** A page of the installation's carrier accounts, and how many there are. `q` finds a part of a name. */
export async function listCarrierAccounts(
  trx: Trx,
  query: { readonly q?: string } & Order<(typeof CARRIER_ACCOUNT_SORTS)[number]> & Part,
): Promise<Listed<CarrierAccount>> {
  let rows = trx.selectFrom('carrier_accounts');
  if (query.q !== undefined) rows = rows.where(nameHas(sql.ref('name'), query.q));
  const sorts = { createdAt: sql.ref('created_at'), name: sql`lower(name)` };
  const [{ total }, items] = await Promise.all([
    rows.select((select) => select.fn.countAll<number>().as('total')).executeTakeFirstOrThrow(),
    rows
      .select(COLUMNS)
      .orderBy(orderOf(sorts[query.sort], query))
      .limit(query.limit)
      .offset(query.offset)
      .execute(),
  ]);
  return { items, total };
}

/** The carrier account, or null. */
export async function findCarrierAccount(trx: Trx, id: string): Promise<CarrierAccount | null> {
  return (
    (await trx.selectFrom('carrier_accounts').where('id', '=', id).select(COLUMNS).executeTakeFirst()) ?? null
  );
}

/** The same, locked until the transaction ends, so that the version that a change was checked against still holds. */
export async function lockCarrierAccount(trx: Trx, id: string): Promise<CarrierAccount | null> {
  const row = await trx
    .selectFrom('carrier_accounts')
    .where('id', '=', id)
    .select(COLUMNS)
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row ?? null;
}

/** Adds a carrier account; the token comes sealed for its id. */
export async function insertCarrierAccount(
  trx: Trx,
  account: {
    readonly id: string;
    readonly name: string;
    readonly authId: string;
    readonly authTokenSealed: string;
    readonly requestsMax: number;
  },
): Promise<void> {
  await trx
    .insertInto('carrier_accounts')
    .values({
      id: account.id,
      name: account.name,
      carrier: 'plivo',
      auth_id: account.authId,
      auth_token_sealed: account.authTokenSealed,
      requests_max: account.requestsMax,
    })
    .execute();
}

/** Changes a carrier account. */
export async function updateCarrierAccount(
  trx: Trx,
  id: string,
  changes: {
    readonly name?: string;
    readonly authId?: string;
    readonly authTokenSealed?: string;
    readonly requestsMax?: number;
  },
): Promise<void> {
  await trx
    .updateTable('carrier_accounts')
    .set((set) => ({
      name: sql<string>`coalesce(${changes.name ?? null}, name)`,
      auth_id: sql<string | null>`coalesce(${changes.authId ?? null}, auth_id)`,
      auth_token_sealed: sql<string | null>`coalesce(${changes.authTokenSealed ?? null}, auth_token_sealed)`,
      requests_max: sql<number>`coalesce(${changes.requestsMax ?? null}, requests_max)`,
      version: set('version', '+', 1),
    }))
    .where('id', '=', id)
    .execute();
}

/** Tells every worker of a carrier's pause; the payload is the account's id, and for how many milliseconds from now. */
export const PAUSE_CHANNEL = 'carillon_pauses';
/** Each of many refused requests moves the end of a pause a little; less than this is told with the former notice. */
const PAUSE_NEWS_MS = 100;

/** Sends the account no request for a while, since the carrier has said so: not of what has been leased already either. */
export async function pauseCarrierAccount(db: Db | Trx, id: string, delayMs: number): Promise<void> {
  await sql`
    with former as (
      select id, paused_until from carrier_accounts where id = ${id} for no key update
    ), paused as (
      update carrier_accounts c
      set paused_until = greatest(f.paused_until, clock_timestamp() + ${delayMs} * interval '1 millisecond')
      from former f where c.id = f.id
      returning f.paused_until as former_end, c.paused_until as new_end
    )
    select pg_notify(${PAUSE_CHANNEL}, ${`${id} ${Math.ceil(delayMs) + PAUSE_NEWS_MS}`})
    from paused where new_end > former_end + ${PAUSE_NEWS_MS} * interval '1 millisecond'`.execute(db);
}

/** The credentials of a carrier account, opened; `defaults` stand in for a row without its own. */
export async function findCarrierCredentials(
  db: Db,
  id: string,
  keys: readonly SealingKey[],
  defaults: CarrierCredentials | null,
): Promise<CarrierCredentials | null> {
  const row = await db
    .selectFrom('carrier_accounts')
    .where('id', '=', id)
    .select(['id', 'auth_id as authId', 'auth_token_sealed as sealed'])
    .executeTakeFirst();
  return row === undefined ? null : openCredentials(row, keys, defaults);
}

/** Credentials as they are stored. */
export interface SealedCredentials {
  /** Of the carrier account. */
  readonly id: string;
  /** Null: those of the environment. */
  readonly authId: string | null;
  readonly sealed: string | null;
}

/** The stored credentials of all carrier accounts, and which of them is the default one. */
export async function listCarrierCredentials(
  db: Db,
): Promise<(SealedCredentials & { readonly isDefault: boolean })[]> {
  return db
    .selectFrom('carrier_accounts')
    .select(['id', 'auth_id as authId', 'auth_token_sealed as sealed'])
    .select(sql<boolean>`name = ${DEFAULT_NAME}`.as('isDefault'))
    .execute();
}

/** Opens stored credentials; null if no key does. */
export function openCredentials(
  { id, authId, sealed }: SealedCredentials,
  keys: readonly SealingKey[],
  defaults: CarrierCredentials | null,
): CarrierCredentials | null {
  if (authId === null || sealed === null) return defaults;
  const authToken = unseal(keys, sealed, id);
  return authToken === null ? null : { authId, authToken };
}

/** A lease of an account. */
export interface LeaseOfAccount {
  readonly accountId: string;
  readonly month: string;
  readonly leaseId: number;
}

/**
 * The credentials of the carrier accounts at which these leases, of any accounts, were posted, in their order; null for
 * a lease that is gone.
 */
export async function carrierCredentialsOfLeases(
  db: Db,
  leases: readonly LeaseOfAccount[],
): Promise<(SealedCredentials | null)[]> {
  const rows = leases.map(({ accountId, month, leaseId }, index) => ({
    index,
    account: accountId,
    month,
    lease: leaseId,
  }));
  const found = await sql<SealedCredentials & { index: number }>`
    select index, id, auth_id as "authId", auth_token_sealed as sealed
    from carrier_accounts_of_posts(${JSON.stringify(rows)}::jsonb)`.execute(db);
  const credentials: (SealedCredentials | null)[] = leases.map(() => null);
  for (const { index, ...one } of found.rows) credentials[index] = one;
  return credentials;
}

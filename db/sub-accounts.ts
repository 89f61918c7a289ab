import { sql } from 'kysely';
import type { Db, Trx } from './database.ts';
import type { Listed, Order, Part } from './listing.ts';

/** What a parent may see of a sub-account that it acts for. */
export interface Acting {
  /** The sub-account has granted its reports. */
  readonly seesReports: boolean;
}

/** Whether an account is the other one's own, and what it lets it see; null when it is not. Never cached. */
export async function findActing(db: Db, parentId: string, accountId: string): Promise<Acting | null> {
  const { rows } = await sql<Acting>`
    select sees_reports as "seesReports" from find_acting(${parentId}, ${accountId})`.execute(db);
  return rows[0] ?? null;
}

/** The most sub-accounts of a parent, disabled ones too. */
export const SUB_ACCOUNTS_MAX = 20_000;

/** What sub-accounts can be sorted by. */
export const SUB_ACCOUNT_SORTS = ['name', 'createdAt'] as const;
/** What a sub-account can be. */
export const SUB_ACCOUNT_STATES = ['enabled', 'disabled'] as const;

/** Which sub-accounts of the account of this transaction. */
export interface SubAccountQuery extends Order<(typeof SUB_ACCOUNT_SORTS)[number]>, Part {
  /** A part of the name. */
  readonly q?: string;
  readonly state?: (typeof SUB_ACCOUNT_STATES)[number];
}

/** The ids of a page of them; each is read as that account. */
export async function listSubAccountIds(trx: Trx, query: SubAccountQuery): Promise<Listed<string>> {
  const { rows } = await sql<Listed<string>>`
    select items, total from list_sub_accounts(${query.q ?? null}, ${query.state ?? null}, ${query.sort},
      ${query.descending}, ${query.limit}, ${query.offset})`.execute(trx);
  return rows[0] ?? { items: [], total: 0 };
}

/** Of these accounts, those that are enabled sub-accounts of the account of this transaction. */
export async function enabledOf(trx: Trx, accountIds: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ id: string }>`select id from enabled_sub_accounts(${accountIds})`.execute(trx);
  return new Set(rows.map(({ id }) => id));
}

/** Whoever changes who is whose parent does so one after the other, so that no sub-account becomes a parent meanwhile. */
export async function lockParents(trx: Trx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('carillon parents'))`.execute(trx);
}

/** Whether the account is somebody's parent. */
export async function hasSubAccounts(trx: Trx, accountId: string): Promise<boolean> {
  const { rows } = await sql<{ has: boolean }>`select has_sub_accounts(${accountId}) as has`.execute(trx);
  return rows[0]?.has === true;
}

/** How many sub-accounts the account of this transaction has, disabled ones too. */
export async function countSubAccounts(trx: Trx): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count_sub_accounts()::int as count`.execute(trx);
  return rows[0]?.count ?? 0;
}

/** Gives the account of this transaction a parent, or none any more. What it had granted falls with the old one. */
export async function setParent(trx: Trx, accountId: string, parentId: string | null): Promise<void> {
  await trx.deleteFrom('grants').where('account_id', '=', accountId).execute();
  await trx
    .updateTable('accounts')
    .set((set) => ({ parent_id: parentId, version: set('version', '+', 1) }))
    .where('id', '=', accountId)
    .execute();
}

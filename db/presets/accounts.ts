import { type RawBuilder, sql } from 'kysely';
import type { PresetFault } from '../../domain/preset.ts';
import { monthOf } from '../../domain/zoned-time.ts';
import type { Trx } from '../database.ts';
import { type Listed, nameHas, orderOf, type Part } from '../listing.ts';

/** What a preset has. */
export interface PresetCounts {
  readonly accounts: number;
  readonly lists: number;
  /** Accounts with which something is wrong. */
  readonly faulty: number;
}

/** A sub-account in a preset. Null is what its parent does not see any more, since it has left. */
export interface PresetAccount {
  readonly accountId: string;
  readonly name: string | null;
  readonly timeZone: string | null;
  readonly faults: readonly PresetFault[];
  readonly lists: readonly PresetList[];
}

/** A list in a preset; without a name when it is gone. */
export interface PresetList {
  readonly id: string;
  readonly name: string | null;
}

/** Which accounts of a preset. */
export interface PresetAccountQuery extends Part {
  /** A part of the name. */
  readonly q?: string;
  /** Those with which something is wrong, or those with which nothing is. */
  readonly faulty?: boolean;
}

/** How many accounts and lists each of these presets has at the instant; one without pairs has no entry. */
export async function countPresetAccounts(
  trx: Trx,
  presetIds: readonly string[],
  at: number,
): Promise<ReadonlyMap<string, PresetCounts>> {
  if (presetIds.length === 0) return new Map();
  const { rows } = await sql<PresetCounts & { readonly presetId: string }>`
    select preset_id as "presetId", count(*)::int as accounts, sum(lists)::int as lists,
      (count(*) filter (where faults <> '{}'))::int as faulty
    from ${await accountsIn(trx, presetIds, at)} group by preset_id`.execute(trx);
  return new Map(rows.map(({ presetId, ...counts }) => [presetId, counts]));
}

/** A page of a preset's accounts by name, those that have left last, with what is wrong with each at the instant. */
export async function listPresetAccounts(
  trx: Trx,
  presetId: string,
  at: number,
  query: PresetAccountQuery,
): Promise<Listed<PresetAccount>> {
  const accounts = await accountsIn(trx, [presetId], at);
  const where = whereOf(query);
  const order = orderOf(sql`lower(name)`, { descending: false }, sql.ref('sub_account_id'));
  const [counted, found] = await Promise.all([
    sql<{ total: number }>`select count(*)::int as total from ${accounts} where ${where}`.execute(trx),
    sql<Omit<PresetAccount, 'lists'>>`
      select sub_account_id as "accountId", name, time_zone as "timeZone", faults from ${accounts} where ${where}
      order by ${order} limit ${query.limit} offset ${query.offset}`.execute(trx),
  ]);
  const lists = await listsOf(
    trx,
    presetId,
    found.rows.map(({ accountId }) => accountId),
  );
  const items = found.rows.map((row) => ({ ...row, lists: lists.get(row.accountId) ?? [] }));
  return { items, total: counted.rows[0]?.total ?? 0 };
}

/**
 * Whether an account's spend limit is reached depends on the month in its zone, which is told from here: the database's
 * zones may be others than those that leases go by.
 */
async function accountsIn(trx: Trx, presetIds: readonly string[], at: number): Promise<RawBuilder<unknown>> {
  const ids = [...presetIds];
  const { rows } = await sql<{ zone: string }>`select zone from preset_zones(${ids}::text[])`.execute(trx);
  const months = JSON.stringify(Object.fromEntries(rows.map(({ zone }) => [zone, monthOf(at, zone)])));
  const today = new Date(at).toISOString().slice(0, 10);
  return sql`preset_accounts(${ids}::text[], ${today}::date, ${months}::jsonb)`;
}

function whereOf({ q, faulty }: PresetAccountQuery): RawBuilder<unknown> {
  const named = q === undefined ? sql`true` : nameHas(sql.ref('name'), q);
  return faulty === undefined ? named : sql`${named} and (faults <> '{}') = ${faulty}`;
}

async function listsOf(
  trx: Trx,
  presetId: string,
  accountIds: readonly string[],
): Promise<ReadonlyMap<string, PresetList[]>> {
  const byAccount = new Map<string, PresetList[]>();
  const { rows } = await sql<PresetList & { readonly accountId: string }>`
    select sub_account_id as "accountId", list_id as id, name
    from preset_lists(${presetId}, ${[...accountIds]}::text[])`.execute(trx);
  for (const { accountId, ...list } of rows) {
    const lists = byAccount.get(accountId);
    if (lists === undefined) byAccount.set(accountId, [list]);
    else lists.push(list);
  }
  return byAccount;
}

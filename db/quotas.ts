import { sql } from 'kysely';
import type { Quota, QuotaUse } from '../domain/dispatch/quota.ts';
import type { Trx } from './database.ts';
import { newId } from './ids.ts';
import { type Listed, nameHas, type Order, orderOf, type Part } from './listing.ts';

/** A quota as it is kept. */
export interface KeptQuota extends Quota {
  readonly use: QuotaUse;
  readonly createdAt: Date;
  readonly version: number;
}

/** What can be given of a quota. */
export type QuotaSettings = Partial<Omit<Quota, 'id'>>;

/** What quotas can be sorted by. */
export const QUOTA_SORTS = ['createdAt', 'name'] as const;

const COLUMNS = sql`q.id, q.name, q.rate_units as "rateUnits", q.rate_period as "ratePeriod",
  q.day_units as "dayUnits", q.reset_zone as "resetZone", q.share_percent as "sharePercent",
  q.created_at as "createdAt", q.version, json_build_object('day', u.day, 'dayHundredths', u.day_hundredths) as use`;

/** A page of the account's quotas, and how many there are. `q` finds a part of a name. */
export async function listQuotas(
  trx: Trx,
  query: { readonly q?: string } & Order<(typeof QUOTA_SORTS)[number]> & Part,
): Promise<Listed<KeptQuota>> {
  const where = query.q === undefined ? sql`true` : nameHas(sql.ref('q.name'), query.q);
  const sorts = { createdAt: sql.ref('q.created_at'), name: sql`lower(q.name)` };
  const [counted, found] = await Promise.all([
    sql<{ total: number }>`select count(*)::int as total from quotas q where ${where}`.execute(trx),
    sql<KeptQuota>`
      select ${COLUMNS} from quotas q join quota_uses u on u.quota_id = q.id where ${where}
      order by ${orderOf(sorts[query.sort], query, sql.ref('q.id'))}
      limit ${query.limit} offset ${query.offset}`.execute(trx),
  ]);
  return { items: found.rows, total: counted.rows[0]?.total ?? 0 };
}

/** The quota, or null when the account has none of this id. */
export async function findQuota(trx: Trx, id: string): Promise<KeptQuota | null> {
  const { rows } = await sql<KeptQuota>`
    select ${COLUMNS} from quotas q join quota_uses u on u.quota_id = q.id where q.id = ${id}`.execute(trx);
  return rows[0] ?? null;
}

/** The same, locked until the transaction ends, so that the version that a change was checked against still holds. */
export async function lockQuota(trx: Trx, id: string): Promise<KeptQuota | null> {
  await trx.selectFrom('quotas').where('id', '=', id).select('id').forNoKeyUpdate().execute();
  return findQuota(trx, id);
}

/** Adds a quota. Throws PostgreSQL's unique violation of `quotas_name` when the name is taken. */
export async function insertQuota(
  trx: Trx,
  accountId: string,
  settings: QuotaSettings & Pick<Quota, 'name'>,
): Promise<string> {
  const id = newId('quo');
  await trx
    .insertInto('quotas')
    .values({ id, account_id: accountId, name: settings.name, ...columnsOf(settings) })
    .execute();
  await trx.insertInto('quota_uses').values({ quota_id: id, account_id: accountId }).execute();
  return id;
}

/** Changes a quota. Throws as {@link insertQuota} does. */
export async function updateQuota(trx: Trx, id: string, settings: QuotaSettings): Promise<void> {
  await trx
    .updateTable('quotas')
    .set((set) => ({ ...columnsOf(settings), version: set('version', '+', 1) }))
    .where('id', '=', id)
    .execute();
}

/** Takes a quota away, from its senders too. */
export async function deleteQuota(trx: Trx, id: string): Promise<void> {
  await trx.deleteFrom('quotas').where('id', '=', id).execute();
}

/** Names the quotas of a sender, in place of those it had. */
export async function setSenderQuotas(
  trx: Trx,
  sender: { readonly id: string; readonly accountId: string },
  quotaIds: readonly string[],
): Promise<void> {
  await trx.deleteFrom('sender_quotas').where('sender_id', '=', sender.id).execute();
  if (quotaIds.length === 0) return;
  await trx
    .insertInto('sender_quotas')
    .values(quotaIds.map((id) => ({ account_id: sender.accountId, sender_id: sender.id, quota_id: id })))
    .execute();
}

/** The index of the first id that names no quota of the account, or -1. The others stay until the transaction ends. */
export async function indexOfUnknownQuota(trx: Trx, ids: readonly string[]): Promise<number> {
  if (ids.length === 0) return -1;
  const found = await trx.selectFrom('quotas').where('id', 'in', ids).select('id').forKeyShare().execute();
  return ids.findIndex((id) => !found.some((quota) => quota.id === id));
}

/** The sender's quotas with what has been used of them. */
export async function quotasOfSender(trx: Trx, senderId: string): Promise<KeptQuota[]> {
  const { rows } = await sql<KeptQuota>`
    select ${COLUMNS} from sender_quotas s join quotas q on q.id = s.quota_id join quota_uses u on u.quota_id = q.id
    where s.sender_id = ${senderId} order by q.id`.execute(trx);
  return rows;
}

function columnsOf(settings: QuotaSettings) {
  return {
    ...(settings.name === undefined ? {} : { name: settings.name }),
    ...(settings.rateUnits === undefined ? {} : { rate_units: settings.rateUnits }),
    ...(settings.ratePeriod === undefined ? {} : { rate_period: settings.ratePeriod }),
    ...(settings.dayUnits === undefined ? {} : { day_units: settings.dayUnits }),
    ...(settings.resetZone === undefined ? {} : { reset_zone: settings.resetZone }),
    ...(settings.sharePercent === undefined ? {} : { share_percent: settings.sharePercent }),
  };
}

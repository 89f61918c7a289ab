import { sql } from 'kysely';
import type { CampaignKind, CampaignStatus } from '../domain/campaign-status.ts';
import { nameOfActor } from './actor-names.ts';
import type { Trx } from './database.ts';
import { indexedOrderOf, type Listed, type Order, orderOf, type Part } from './listing.ts';

/** What a list of campaigns can be sorted by. */
export const CAMPAIGN_SORTS = [
  'createdAt',
  'name',
  'status',
  'startAt',
  'createdBy',
  'messageCount',
  'listNames',
] as const;

/** How a list of campaigns is narrowed, ordered and cut into pages; several values of a filter are joined by or. */
export interface CampaignQuery extends Part, Order<(typeof CAMPAIGN_SORTS)[number]> {
  /** A part of the name. */
  readonly q?: string;
  readonly statuses?: readonly CampaignStatus[];
  readonly archived: boolean;
  readonly kinds?: readonly CampaignKind[];
  readonly senderIds?: readonly string[];
  readonly listIds?: readonly string[];
  readonly ownerIds?: readonly string[];
  readonly createdBy?: readonly string[];
  readonly purposes?: readonly string[];
  readonly startFrom?: Date;
  readonly startTo?: Date;
  readonly createdFrom?: Date;
  readonly createdTo?: Date;
}

/** One line of the list. */
export interface CampaignListItem {
  readonly id: string;
  readonly name: string | null;
  readonly kind: CampaignKind;
  readonly type: string;
  readonly status: CampaignStatus;
  readonly archived: boolean;
  readonly senderId: string | null;
  readonly ownerId: string | null;
  readonly purpose: string | null;
  readonly startAt: Date | null;
  readonly createdBy: string;
  readonly createdByName: string | null;
  readonly createdAt: Date;
  readonly messageCount: number;
  readonly lists: readonly { readonly id: string; readonly name: string }[];
}

const MESSAGE_COUNT = sql<number>`(select count(*)::int from messages m where m.campaign_id = campaigns.id)`;
const LIST_ROWS = sql<{ id: string; name: string }[]>`coalesce((
  select jsonb_agg(jsonb_build_object('id', x.id, 'name', x.name) order by x.name)
  from campaign_lists l join lists x on x.id = l.list_id
  where l.campaign_id = campaigns.id and not l.excluded), '[]')`;
const START_AT = sql<Date | null>`coalesce(campaigns.first_due_at, campaigns.launched_at)`;
const CREATOR = nameOfActor(sql.ref('campaigns.created_by'));
const CREATED_AT = sql`campaigns.created_at`;

const SORTS = {
  status: sql`campaigns.status`,
  name: sql`lower(campaigns.name)`,
  startAt: START_AT,
  createdBy: sql`coalesce(${CREATOR}, campaigns.created_by)`,
  createdAt: CREATED_AT,
  messageCount: MESSAGE_COUNT,
  listNames: sql`(select min(lower(x.name)) from campaign_lists l join lists x on x.id = l.list_id
    where l.campaign_id = campaigns.id and not l.excluded)`,
} as const;

/** A page of campaigns and how many there are in all. */
export async function listCampaigns(
  trx: Trx,
  accountId: string,
  query: CampaignQuery,
): Promise<Listed<CampaignListItem>> {
  const found = query.q === undefined ? null : await findByName(trx, accountId, query.q);
  const rows = narrowed(trx, query, found);
  const counted = rows.select((select) => select.fn.countAll<number>().as('total'));
  const shown = rows
    .select([
      'id',
      'name',
      'kind',
      'type',
      'status',
      'sender_id as senderId',
      'owner_id as ownerId',
      'purpose',
      'created_by as createdBy',
      'created_at as createdAt',
      START_AT.as('startAt'),
      CREATOR.as('createdByName'),
      MESSAGE_COUNT.as('messageCount'),
      LIST_ROWS.as('lists'),
    ])
    .orderBy(
      query.sort === 'createdAt' ? indexedOrderOf(CREATED_AT, query) : orderOf(SORTS[query.sort], query),
    )
    .limit(query.limit)
    .offset(query.offset);
  const [{ total }, items] = await Promise.all([counted.executeTakeFirstOrThrow(), shown.execute()]);
  return { items: items.map((item) => ({ ...item, archived: query.archived })), total };
}

function narrowed(trx: Trx, query: CampaignQuery, found: readonly string[] | null) {
  const { q, statuses, kinds, senderIds, listIds, ownerIds, createdBy, purposes } = query;
  let rows = trx
    .selectFrom('campaigns')
    .where('deleted_at', 'is', null)
    .where('archived_at', query.archived ? 'is not' : 'is', null);
  if (found !== null) rows = rows.where('id', '=', sql<string>`any(${found})`);
  else if (q !== undefined) rows = rows.where(sql<boolean>`name_search like search_pattern(${q})`);
  if (statuses !== undefined && statuses.length > 0) rows = rows.where('status', 'in', statuses);
  if (kinds !== undefined) rows = rows.where('kind', 'in', kinds);
  if (senderIds !== undefined) rows = rows.where('sender_id', 'in', senderIds);
  if (ownerIds !== undefined) rows = rows.where('owner_id', 'in', ownerIds);
  if (createdBy !== undefined) rows = rows.where('created_by', 'in', createdBy);
  if (purposes !== undefined) rows = rows.where('purpose', 'in', purposes);
  if (query.startFrom !== undefined) rows = rows.where(START_AT, '>=', query.startFrom);
  if (query.startTo !== undefined) rows = rows.where(START_AT, '<', query.startTo);
  if (query.createdFrom !== undefined) rows = rows.where('created_at', '>=', query.createdFrom);
  if (query.createdTo !== undefined) rows = rows.where('created_at', '<', query.createdTo);
  if (listIds !== undefined) {
    rows = rows.where((where) =>
      where.exists(
        where
          .selectFrom('campaign_lists')
          .whereRef('campaign_lists.campaign_id', '=', 'campaigns.id')
          .where('excluded', '=', false)
          .where('list_id', 'in', listIds)
          .select('list_id'),
      ),
    );
  }
  return rows;
}

/** Above as many, walking the account's campaigns until a page is full is as fast. */
const FOUND_MAX = 1_000;

/** The campaigns whose names have this in any part; null when they are so many that an index does not help. */
async function findByName(trx: Trx, accountId: string, q: string): Promise<string[] | null> {
  const { rows } = await sql<{ id: string }>`
    select id from find_campaigns_by_name(${accountId}, ${q}, ${FOUND_MAX + 1})`.execute(trx);
  return rows.length > FOUND_MAX ? null : rows.map((row) => row.id);
}

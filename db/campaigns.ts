import { sql } from 'kysely';
import { type CampaignRole, roleOf } from '../domain/campaign-actions.ts';
import type { CentralTiming } from '../domain/central/part-states.ts';
import type { CampaignKind, CampaignStatus, StartMode, StatusReason } from '../domain/campaign-status.ts';
import { nameOfActor } from './actor-names.ts';
import { resolveCampaignAlerts } from './campaign-alerts.ts';
import { askedTogether } from './asked-together.ts';
import {
  type CentralDetails,
  insertCentralSend,
  unfixParts,
  updateCentralSend,
} from './central/central-sends.ts';
import type { Trx } from './database.ts';
import { newId } from './ids.ts';
import { prepareQuery } from './prepared-query.ts';

/** A campaign as the rest of the program sees it; instants are Dates, lists are ids. */
export interface Campaign {
  readonly id: string;
  readonly key: number;
  readonly accountId: string;
  /** Of a part: its central campaign, and the parent with the name that it had at the launch. */
  readonly centralId: string | null;
  readonly parentId: string | null;
  readonly parentName: string | null;
  readonly kind: CampaignKind;
  readonly type: string;
  readonly channel: string;
  readonly name: string | null;
  readonly senderId: string | null;
  readonly ownerId: string | null;
  readonly purpose: string | null;
  readonly acknowledgedAt: Date | null;
  readonly acknowledgedBy: string | null;
  readonly status: CampaignStatus;
  readonly statusReasons: readonly StatusReason[];
  readonly startMode: StartMode | null;
  readonly audienceTiming: string;
  readonly audienceSize: number | null;
  /** The month of the ledger that holds its recipients, `YYYY-MM-01`. */
  readonly audienceMonth: string | null;
  readonly audienceFrozenAt: Date | null;
  readonly everLeased: boolean;
  readonly launchedAt: Date | null;
  readonly firstDueAt: Date | null;
  readonly finishedAt: Date | null;
  readonly archivedAt: Date | null;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly version: number;
  readonly listIds: readonly string[];
  readonly excludedListIds: readonly string[];
  /** Null is none. */
  readonly budgetMicroUsd: number | null;
  /** What its texts have claimed, at the estimate; what was certainly not taken or has failed is given back. */
  readonly spentMicroUsd: number;
  /** Of a central campaign: whose pairs it is sent to, and whether at one instant. */
  readonly presetId: string | null;
  readonly timing: CentralTiming | null;
  /** Names of today. */
  readonly createdByName: string | null;
  readonly ownerName: string | null;
  readonly acknowledgedByName: string | null;
}

/** The details and settings that an owner gives; null is not given yet. */
export interface CampaignDetails extends CentralDetails {
  readonly name?: string | null;
  readonly senderId?: string | null;
  readonly ownerId?: string | null;
  readonly purpose?: string | null;
  readonly audienceTiming?: 'due' | 'launch';
  readonly acknowledgedBy?: string | null;
  readonly listIds?: readonly string[];
  readonly excludedListIds?: readonly string[];
  /** A setting: it may be changed while the campaign runs. */
  readonly budgetMicroUsd?: number | null;
}

const COLUMNS = [
  'id',
  'key',
  'account_id as accountId',
  'central_id as centralId',
  'parent_id as parentId',
  'parent_name as parentName',
  'kind',
  'type',
  'channel',
  'name',
  'sender_id as senderId',
  'owner_id as ownerId',
  'purpose',
  'acknowledged_at as acknowledgedAt',
  'acknowledged_by as acknowledgedBy',
  'status',
  'status_reasons as statusReasons',
  'start_mode as startMode',
  'audience_timing as audienceTiming',
  'audience_size as audienceSize',
  'audience_month as audienceMonth',
  'audience_frozen_at as audienceFrozenAt',
  'ever_leased as everLeased',
  'launched_at as launchedAt',
  'first_due_at as firstDueAt',
  'finished_at as finishedAt',
  'archived_at as archivedAt',
  'created_by as createdBy',
  'created_at as createdAt',
  'version',
] as const;

const CREATOR = nameOfActor(sql.ref('campaigns.created_by'));
const LISTS = sql<string[]>`coalesce((select array_agg(l.list_id order by l.list_id) from campaign_lists l
  where l.campaign_id = campaigns.id and not l.excluded), '{}')`.as('listIds');
const EXCLUDED = sql<string[]>`coalesce((select array_agg(l.list_id order by l.list_id) from campaign_lists l
  where l.campaign_id = campaigns.id and l.excluded), '{}')`.as('excludedListIds');

const BUDGET = sql<number | null>`(select s.budget_micro_usd from campaign_spends s
  where s.campaign_id = campaigns.id)`.as('budgetMicroUsd');
const SPENT = sql<number>`coalesce((select s.spent_micro_usd from campaign_spends s
  where s.campaign_id = campaigns.id), 0)`.as('spentMicroUsd');

const PRESET = sql<
  string | null
>`case when campaigns.kind = 'central' then (select s.preset_id from central_sends s
  where s.campaign_id = campaigns.id) end`.as('presetId');
const TIMING = sql<CentralTiming | null>`case when campaigns.kind = 'central' then (select s.timing
  from central_sends s where s.campaign_id = campaigns.id) end`.as('timing');

/**
 * Makes a draft with its gate; its id may be given, for whoever needs it before the answer. Throws PostgreSQL's unique
 * violation of `campaigns_name` when the name is taken.
 */
export async function insertCampaign(
  trx: Trx,
  draft: CampaignDetails & {
    readonly id?: string;
    readonly accountId: string;
    readonly createdBy: string;
    readonly kind?: CampaignKind;
  },
): Promise<string> {
  const { accountId, id = newId('cmp'), kind = 'standard' } = draft;
  await askedTogether([
    trx
      .with('gate', (db) => db.insertInto('gates').values({ scope_id: id }))
      .insertInto('campaigns')
      .values({ id, account_id: accountId, kind, created_by: draft.createdBy, ...columnsOf(draft) })
      .execute(),
    trx
      .insertInto('campaign_spends')
      .values({ campaign_id: id, account_id: accountId, budget_micro_usd: draft.budgetMicroUsd ?? null })
      .execute(),
    insertLists(trx, { id, accountId, excluded: false }, draft.listIds),
    insertLists(trx, { id, accountId, excluded: true }, draft.excludedListIds),
    ...(kind === 'central' ? [insertCentralSend(trx, { id, accountId }, draft)] : []),
  ]);
  return id;
}

/** The campaign, or null when there is none that this account can see. */
export async function findCampaign(trx: Trx, id: string): Promise<Campaign | null> {
  const [campaign = null] = await askForCampaign(trx, { id });
  return campaign;
}

const askForCampaign = prepareQuery((db, { id }: { readonly id: string }) =>
  db
    .selectFrom('campaigns')
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .select(COLUMNS)
    .select([
      LISTS,
      EXCLUDED,
      BUDGET,
      SPENT,
      PRESET,
      TIMING,
      CREATOR.as('createdByName'),
      nameOfActor(sql.ref('campaigns.owner_id')).as('ownerName'),
      nameOfActor(sql.ref('campaigns.acknowledged_by')).as('acknowledgedByName'),
    ])
    .compile(),
);

/**
 * The same, locked until the transaction ends, so that what is decided on it still holds when it is written. Nobody locks a
 * campaign's key: whoever writes the row of a part twice shares the key of its central campaign, after the part.
 */
export async function lockCampaign(trx: Trx, id: string): Promise<Campaign | null> {
  await trx.selectFrom('campaigns').where('id', '=', id).select('id').forNoKeyUpdate().execute();
  return findCampaign(trx, id);
}

/** The role of a campaign, deleted or not; null when this account has none of this id. */
export async function readRole(trx: Trx, id: string): Promise<CampaignRole | null> {
  const row = await trx
    .selectFrom('campaigns')
    .where('id', '=', id)
    .select(['kind', 'central_id as centralId'])
    .executeTakeFirst();
  return row === undefined ? null : roleOf(row);
}

/** An order that waits for the engine is a change of the campaign, too: of two who saw the same, one may give it. */
export async function raiseCampaignVersion(trx: Trx, seen: Pick<Campaign, 'id' | 'version'>): Promise<void> {
  await trx
    .updateTable('campaigns')
    .set((set) => ({ version: set('version', '+', 1) }))
    .where('id', '=', seen.id)
    .where('version', '=', seen.version)
    .execute();
}

/**
 * Changes a draft's details; a rejected campaign becomes a draft again. A part does not: its content is its parent's, who
 * has it tried again.
 */
export async function updateCampaign(trx: Trx, campaign: Campaign, details: CampaignDetails): Promise<void> {
  const isReopened = campaign.status === 'rejected' && roleOf(campaign) !== 'part';
  await trx
    .updateTable('campaigns')
    .set((set) => ({
      ...columnsOf(details),
      status: isReopened ? ('draft' as const) : campaign.status,
      status_reasons: isReopened ? '[]' : JSON.stringify(campaign.statusReasons),
      version: set('version', '+', 1),
    }))
    .where('id', '=', campaign.id)
    .execute();
  if (details.budgetMicroUsd !== undefined) {
    await trx
      .updateTable('campaign_spends')
      .set({ budget_micro_usd: details.budgetMicroUsd })
      .where('campaign_id', '=', campaign.id)
      .execute();
  }
  await writeLists(trx, campaign.accountId, campaign.id, details);
  if (roleOf(campaign) === 'central') {
    // A draft is whatever its preset is, so what the refused launch had fixed counts no more.
    if (isReopened) await unfixParts(trx, campaign.id);
    await updateCentralSend(trx, campaign.id, details);
  }
  if (isReopened) await resolveCampaignAlerts(trx, campaign.id, ['content_rejected']);
}

function columnsOf(details: CampaignDetails) {
  return {
    ...(details.name === undefined ? {} : { name: details.name }),
    ...(details.senderId === undefined ? {} : { sender_id: details.senderId }),
    ...(details.ownerId === undefined ? {} : { owner_id: details.ownerId }),
    ...(details.purpose === undefined ? {} : { purpose: details.purpose }),
    ...(details.audienceTiming === undefined ? {} : { audience_timing: details.audienceTiming }),
    ...(details.acknowledgedBy === undefined
      ? {}
      : {
          acknowledged_by: details.acknowledgedBy,
          acknowledged_at: details.acknowledgedBy === null ? null : sql<Date>`clock_timestamp()`,
        }),
  };
}

async function writeLists(trx: Trx, accountId: string, id: string, details: CampaignDetails): Promise<void> {
  for (const [excluded, listIds] of [
    [false, details.listIds],
    [true, details.excludedListIds],
  ] as const) {
    if (listIds === undefined) continue;
    await trx
      .deleteFrom('campaign_lists')
      .where('campaign_id', '=', id)
      .where('excluded', '=', excluded)
      .execute();
    await insertLists(trx, { id, accountId, excluded }, listIds);
  }
}

async function insertLists(
  trx: Trx,
  campaign: { readonly id: string; readonly accountId: string; readonly excluded: boolean },
  listIds: readonly string[] = [],
): Promise<void> {
  if (listIds.length === 0) return;
  const { id, accountId, excluded } = campaign;
  await trx
    .insertInto('campaign_lists')
    .values(listIds.map((listId) => ({ account_id: accountId, campaign_id: id, list_id: listId, excluded })))
    .onConflict((conflict) => conflict.columns(['campaign_id', 'list_id']).doUpdateSet({ excluded }))
    .execute();
}

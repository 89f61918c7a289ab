import { sql } from 'kysely';
import type { CampaignStatus } from '../domain/campaign-status.ts';
import type { HoldScope } from '../domain/hold.ts';
import { nameOfActor } from './actor-names.ts';
import type { Trx } from './database.ts';
import type { Scope } from './in-flight.ts';

/** A reason why a scope must not send, from when to when. */
export interface Hold extends Scope {
  readonly id: string;
  readonly accountId: string;
  /** `hold` was placed by itself; the others belong to the action of their name. */
  readonly kind: string;
  readonly cause: string | null;
  readonly reason: string;
  readonly campaignId: string | null;
  readonly byOperator: boolean;
  readonly placedBy: string;
  /** As he is called today; null when an operator has placed it. */
  readonly placedByName: string | null;
  readonly placedAt: Date;
  readonly liftActionId: string | null;
  readonly liftedBy: string | null;
  readonly liftedByName: string | null;
  readonly liftedAt: Date | null;
  readonly version: number;
}

const COLUMNS = [
  'id',
  'account_id as accountId',
  'scope_id as scopeId',
  'kind',
  'cause',
  'reason',
  'campaign_id as campaignId',
  'by_operator as byOperator',
  'placed_by as placedBy',
  'placed_at as placedAt',
  'lift_action_id as liftActionId',
  'lifted_by as liftedBy',
  'lifted_at as liftedAt',
  'version',
] as const;
/** Names are read with the row, so that a disabled person and a revoked key keep theirs. */
const NAMES = [
  nameOfActor(sql.ref('holds.placed_by')).as('placedByName'),
  nameOfActor(sql.ref('holds.lifted_by')).as('liftedByName'),
] as const;
/** The scope column, which holds no other words. */
export const SCOPE = sql<HoldScope>`scope`.as('scope');

/** The hold, or null when this account has none of this id. */
export async function findHold(trx: Trx, id: string): Promise<Hold | null> {
  return (await selectHold(trx, id).executeTakeFirst()) ?? null;
}

/** The same, locked until the transaction ends; it has to be there. */
export async function lockHold(trx: Trx, id: string): Promise<Hold> {
  return selectHold(trx, id).forUpdate().executeTakeFirstOrThrow();
}

function selectHold(trx: Trx, id: string) {
  return trx.selectFrom('holds').where('id', '=', id).select(COLUMNS).select(NAMES).select(SCOPE);
}

/** A page of holds, the newest first, and how many there are. */
export async function listHolds(
  trx: Trx,
  query: {
    readonly scope?: HoldScope;
    readonly scopeId?: string;
    readonly isLifted?: boolean;
    readonly offset: number;
    readonly limit: number;
  },
): Promise<{ items: Hold[]; total: number }> {
  let rows = trx.selectFrom('holds');
  if (query.scope !== undefined) rows = rows.where('scope', '=', query.scope);
  if (query.scopeId !== undefined) rows = rows.where('scope_id', '=', query.scopeId);
  if (query.isLifted !== undefined) rows = rows.where('lifted_at', query.isLifted ? 'is not' : 'is', null);
  const { total } = await rows
    .select((select) => select.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  const items = await rows
    .select(COLUMNS)
    .select(NAMES)
    .select(SCOPE)
    .orderBy('id', 'desc')
    .limit(query.limit)
    .offset(query.offset)
    .execute();
  return { items, total };
}

/** The status of a campaign whose row is locked from here on, deleted or not; null when this account has none of this id. */
export async function lockStatus(trx: Trx, campaignId: string): Promise<CampaignStatus | null> {
  const row = await trx
    .selectFrom('campaigns')
    .where('id', '=', campaignId)
    .select('status')
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row?.status ?? null;
}

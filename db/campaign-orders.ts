import { sql } from 'kysely';
import { refusalOf, roleOf } from '../domain/campaign-actions.ts';
import { type CampaignStatus, isLive } from '../domain/campaign-status.ts';
import type { RoundKind } from '../domain/round.ts';
import { resolveCampaignAlerts } from './campaign-alerts.ts';
import { readActionFacts } from './campaign-step/record-signals.ts';
import { noteHeldSince } from './central/held-since.ts';
import { overruleCampaign } from './central/overrule-part.ts';
import { noteReachedAccounts } from './central/reached-accounts.ts';
import type { Trx } from './database.ts';
import { holdCampaign } from './holds.ts';
import { launch, restart } from './launch-orders.ts';
import { appendLog } from './log.ts';
import {
  insertAction,
  logOrder,
  type NewSchedules,
  type Order,
  ordered,
  type OrderResult,
  waitForWorkflow,
} from './order-rows.ts';
import { insertRound } from './rounds.ts';

/**
 * Orders an action in one transaction: checks that it is allowed, writes its row, and, if it stops
 * something, closes the gate. So stopping never needs the engine.
 */
export async function orderAction(trx: Trx, order: Order, schedules?: NewSchedules): Promise<OrderResult> {
  const facts = await readActionFacts(trx, order.campaign.id);
  // The archive of a sub-account is no obstacle to its parent.
  const asParent = order.byParent === undefined ? {} : ({ role: 'standard', isArchived: false } as const);
  const reason = refusalOf(order.name, { ...facts, ...asParent, missing: order.missing ?? [] });
  if (reason !== null) return { kind: 'refused', reason };
  const result = await carryOut(trx, order, facts.status, schedules);
  if (result.kind === 'refused' || roleOf(order.campaign) !== 'central') return result;
  const accounts = await noteReachedAccounts(trx, order.campaign.id, {
    id: result.actionId,
    name: order.name,
    state: result.state,
  });
  return { ...result, inFlight: null, accounts };
}

async function carryOut(
  trx: Trx,
  order: Order,
  status: CampaignStatus,
  schedules: NewSchedules | undefined,
): Promise<OrderResult> {
  switch (order.name) {
    case 'pause':
    case 'stop':
    case 'abort':
    case 'suspend':
      return hold(trx, order, order.name);
    case 'launch':
      return launch(trx, order);
    case 'restart':
      return restart(trx, order, schedules ?? new Map());
    case 'overrule':
      return overruleCampaign(trx, order);
    case 'archive':
    case 'unarchive':
      return archive(trx, order);
    case 'delete':
      return remove(trx, order, status);
    case 'retry_failed':
    case 'resend_unknown':
      return round(trx, order, order.name);
    case 'start':
    case 'withdraw':
    case 'resume':
    case 'reschedule':
    case 'duplicate':
      return waitForWorkflow(trx, order);
  }
}

/** The reason of whoever gives none; who it was stands beside it. */
const NO_REASON = {
  pause: 'It was paused, and no reason was given.',
  stop: 'It was stopped, and no reason was given.',
  abort: 'It was aborted, and no reason was given.',
  suspend: 'It was suspended by hand, and no reason was given.',
} as const;

async function hold(
  trx: Trx,
  order: Order,
  kind: 'pause' | 'stop' | 'abort' | 'suspend',
): Promise<OrderResult> {
  const actionId = await insertAction(trx, order, 'requested');
  await noteHeldSince(trx, order.campaign.id, order.at);
  const inFlight = await holdCampaign(trx, {
    accountId: order.campaign.accountId,
    campaignId: order.campaign.id,
    kind,
    cause: kind === 'suspend' ? 'operator' : (order.cause ?? null),
    reason: typeof order.args['reason'] === 'string' ? order.args['reason'] : NO_REASON[kind],
    actor: order.actor,
    actionId,
  });
  return ordered(actionId, 'requested', inFlight);
}

/** Whom it tries again stands from now on; the campaign's run is started for it. */
async function round(trx: Trx, order: Order, kind: RoundKind): Promise<OrderResult> {
  const { campaign, actor, at } = order;
  const actionId = await insertAction(trx, order, 'requested');
  const recipients = await insertRound(trx, { campaign, kind, actionId, actor, at });
  if (recipients === 0) return { kind: 'refused', reason: 'Nobody is left whom it would try again.' };
  await trx
    .updateTable('campaigns')
    .set((set) => ({ status: 'started' as const, finished_at: null, version: set('version', '+', 1) }))
    .where('id', '=', campaign.id)
    .where('status', '=', 'finished')
    .execute();
  await appendLog(trx, {
    accountId: campaign.accountId,
    campaignId: campaign.id,
    what: kind,
    from: campaign.status,
    to: 'started',
    actionId,
    actor,
    detail: { recipients },
  });
  return ordered(actionId, 'requested');
}

async function archive(trx: Trx, order: Order): Promise<OrderResult> {
  const actionId = await insertAction(trx, order, 'applied');
  await trx
    .updateTable('campaigns')
    .set((set) => ({
      archived_at: order.name === 'archive' ? sql<Date>`clock_timestamp()` : null,
      version: set('version', '+', 1),
    }))
    .where('id', '=', order.campaign.id)
    .execute();
  await logOrder(trx, order, actionId, order.campaign.status);
  return ordered(actionId, 'applied');
}

/** Gone from every list at once; a live one is aborted by the hold, and its workflow ends what runs. */
async function remove(trx: Trx, order: Order, status: CampaignStatus): Promise<OrderResult> {
  const live = isLive(status);
  const actionId = await insertAction(trx, order, live ? 'requested' : 'applied');
  const inFlight = live
    ? await holdCampaign(trx, {
        accountId: order.campaign.accountId,
        campaignId: order.campaign.id,
        kind: 'abort',
        cause: null,
        reason: 'The campaign was deleted.',
        actor: order.actor,
        actionId,
      })
    : 0;
  await trx
    .updateTable('campaigns')
    .set((set) => ({ deleted_at: sql<Date>`clock_timestamp()`, version: set('version', '+', 1) }))
    .where('id', '=', order.campaign.id)
    .execute();
  await resolveCampaignAlerts(trx, order.campaign.id);
  await logOrder(trx, order, actionId, live ? 'aborted' : status);
  return ordered(actionId, live ? 'requested' : 'applied', inFlight);
}

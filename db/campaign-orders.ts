import { sql } from 'kysely';
import type { Actor } from '../domain/actor.ts';
import { type CampaignActionName, refusalOf } from '../domain/campaign-actions.ts';
import { type CampaignStatus, isLive, type StartMode } from '../domain/campaign-status.ts';
import { appendLog } from './log.ts';
import { readActionFacts } from './campaign-step/record-signals.ts';
import { resolveCampaignAlerts } from './campaign-alerts.ts';
import { endMessages } from './campaign-step/message-orders.ts';
import type { Campaign } from './campaigns.ts';
import type { Trx } from './database.ts';
import { holdCampaign } from './holds.ts';
import { newId } from './ids.ts';
import type { RoundKind } from '../domain/round.ts';
import { insertRound } from './rounds.ts';

/** An action that somebody orders; the row it becomes is the order. */
export interface Order {
  readonly campaign: Campaign;
  readonly name: CampaignActionName;
  readonly args: Record<string, unknown>;
  readonly actor: Actor;
  /** Campaign time in epoch milliseconds. */
  readonly at: number;
  /** Details that a launch still needs; empty for everything else. */
  readonly missing?: readonly string[];
}

/** `requested` waits for the campaign's workflow, `applied` took effect in this transaction. */
export type OrderResult =
  | { readonly kind: 'refused'; readonly reason: string }
  | {
      readonly kind: 'ordered';
      readonly actionId: string;
      readonly state: 'requested' | 'applied';
      /** Recipients whose texts may still be on their way, for what stops something. */
      readonly inFlight: number;
    };

/** New schedules of a restart, by message. */
export type NewSchedules = ReadonlyMap<string, { readonly local: string; readonly zone: string }>;

/**
 * Orders an action in one transaction: checks that it is allowed, writes its row, and, if it stops
 * something, closes the gate. So stopping never needs the engine.
 */
export async function orderAction(trx: Trx, order: Order, schedules?: NewSchedules): Promise<OrderResult> {
  const facts = await readActionFacts(trx, order.campaign.id);
  const reason = refusalOf(order.name, { ...facts, missing: order.missing ?? [] });
  if (reason !== null) return { kind: 'refused', reason };
  switch (order.name) {
    case 'pause':
    case 'stop':
    case 'abort':
    case 'suspend':
      return hold(trx, order, order.name);
    case 'launch':
      return launch(trx, order, startModeOf(order));
    case 'restart':
      return restart(trx, order, schedules ?? new Map());
    case 'overrule':
      return overrule(trx, order);
    case 'archive':
    case 'unarchive':
      return archive(trx, order);
    case 'delete':
      return remove(trx, order, facts.status);
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

/** What only the workflow carries out: the order has a line now, what becomes of it has another. */
async function waitForWorkflow(trx: Trx, order: Order): Promise<OrderResult> {
  const actionId = await insertAction(trx, order, 'requested');
  await appendLog(trx, {
    accountId: order.campaign.accountId,
    campaignId: order.campaign.id,
    what: `${order.name}.ordered`,
    actionId,
    actor: order.actor,
    detail: { status: order.campaign.status },
  });
  return ordered(actionId, 'requested');
}

function startModeOf(order: Order): StartMode {
  const mode = order.args['start'];
  return mode === 'now' || mode === 'later' ? mode : 'scheduled';
}

function ordered(actionId: string, state: 'requested' | 'applied', inFlight = 0): OrderResult {
  return { kind: 'ordered', actionId, state, inFlight };
}

async function insertAction(trx: Trx, order: Order, state: 'requested' | 'applied'): Promise<string> {
  const id = newId('act');
  await trx
    .insertInto('actions')
    .values({
      id,
      account_id: order.campaign.accountId,
      campaign_id: order.campaign.id,
      name: order.name,
      args: JSON.stringify(order.args),
      state,
      via: order.actor.via,
      requested_by: order.actor.id,
      key_id: order.actor.keyId ?? null,
      ...(state === 'applied' ? { answered_at: sql<Date>`clock_timestamp()`, result: '{}' } : {}),
    })
    .execute();
  return id;
}

async function log(trx: Trx, order: Order, actionId: string, to: CampaignStatus): Promise<void> {
  await appendLog(trx, {
    accountId: order.campaign.accountId,
    campaignId: order.campaign.id,
    what: order.name,
    from: order.campaign.status,
    to,
    actionId,
    actor: order.actor,
  });
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
  const inFlight = await holdCampaign(trx, {
    accountId: order.campaign.accountId,
    campaignId: order.campaign.id,
    kind,
    cause: kind === 'suspend' ? 'operator' : null,
    reason: typeof order.args['reason'] === 'string' ? order.args['reason'] : NO_REASON[kind],
    actor: order.actor,
    actionId,
  });
  return ordered(actionId, 'requested', inFlight);
}

async function launch(trx: Trx, order: Order, mode: StartMode): Promise<OrderResult> {
  const actionId = await insertAction(trx, order, 'requested');
  await trx
    .updateTable('campaigns')
    .set((set) => ({
      status: 'processing' as const,
      start_mode: mode,
      launched_at: new Date(order.at),
      prepared_at: null,
      was_restarted: false,
      status_reasons: '[]',
      version: set('version', '+', 1),
    }))
    .where('id', '=', order.campaign.id)
    .execute();
  await trx
    .updateTable('messages')
    .set({ status: 'scheduled', due_at: null, expires_at: null })
    .where('campaign_id', '=', order.campaign.id)
    .execute();
  if (mode === 'now') {
    // "Now" replaces the first message's schedule: its instant is given when the workflow first sees it.
    await trx
      .updateTable('messages')
      .set({ schedule_local: null, schedule_zone: null })
      .where('campaign_id', '=', order.campaign.id)
      .where('position', '=', 1)
      .execute();
  }
  await resolveCampaignAlerts(trx, order.campaign.id, ['content_rejected']);
  await log(trx, order, actionId, 'processing');
  return ordered(actionId, 'requested');
}

/** Where the stop still waits for its workflow, the messages are ended here, so that the schedules find them so. */
async function restart(trx: Trx, order: Order, schedules: NewSchedules): Promise<OrderResult> {
  await endMessages(trx, order.campaign.id, order.at);
  const actionId = await insertAction(trx, order, 'requested');
  await trx
    .updateTable('campaigns')
    .set((set) => ({
      status: 'processing' as const,
      start_mode: 'scheduled' as const,
      prepared_at: null,
      was_restarted: true,
      archived_at: null,
      status_reasons: '[]',
      version: set('version', '+', 1),
    }))
    .where('id', '=', order.campaign.id)
    .execute();
  for (const [messageId, schedule] of schedules) {
    await trx
      .updateTable('messages')
      .set((set) => ({
        status: 'scheduled' as const,
        schedule_local: schedule.local,
        schedule_zone: schedule.zone,
        due_at: null,
        expires_at: null,
        ended_at: null,
        version: set('version', '+', 1),
      }))
      .where('campaign_id', '=', order.campaign.id)
      .where('id', '=', messageId)
      .where('status', 'in', ['cancelled', 'cut'])
      .execute();
  }
  await resolveCampaignAlerts(trx, order.campaign.id, ['content_rejected']);
  await log(trx, order, actionId, 'processing');
  return ordered(actionId, 'requested');
}

/** An operator's word against the content check: the campaign is prepared again and its content let pass. */
async function overrule(trx: Trx, order: Order): Promise<OrderResult> {
  const actionId = await insertAction(trx, order, 'requested');
  await trx
    .updateTable('campaigns')
    .set((set) => ({
      status: 'processing' as const,
      prepared_at: null,
      content_overruled_by: order.actor.id,
      status_reasons: '[]',
      version: set('version', '+', 1),
    }))
    .where('id', '=', order.campaign.id)
    .execute();
  await trx
    .updateTable('messages')
    .set({ status: 'scheduled' })
    .where('campaign_id', '=', order.campaign.id)
    .where('status', '=', 'draft')
    .execute();
  await resolveCampaignAlerts(trx, order.campaign.id, ['content_rejected']);
  await log(trx, order, actionId, 'processing');
  return ordered(actionId, 'requested');
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
  await log(trx, order, actionId, order.campaign.status);
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
  await log(trx, order, actionId, live ? 'aborted' : status);
  return ordered(actionId, live ? 'requested' : 'applied', inFlight);
}

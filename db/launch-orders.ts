import type { StartMode } from '../domain/campaign-status.ts';
import { roleOf } from '../domain/campaign-actions.ts';
import { resolveCampaignAlerts } from './campaign-alerts.ts';
import { endMessages } from './campaign-step/message-orders.ts';
import { fixLaunch } from './central/fix-launch.ts';
import type { Trx } from './database.ts';
import {
  insertAction,
  logOrder,
  type NewSchedules,
  type Order,
  ordered,
  type OrderResult,
} from './order-rows.ts';

/** The campaign is prepared: its messages are scheduled, and the one that is sent now loses its schedule. */
export async function launch(trx: Trx, order: Order): Promise<OrderResult> {
  const mode = startModeOf(order);
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
  if (roleOf(order.campaign) === 'central') await fixLaunch(trx, order.campaign.id, mode, order.at);
  await resolveCampaignAlerts(trx, order.campaign.id, ['content_rejected']);
  await logOrder(trx, order, actionId, 'processing');
  return ordered(actionId, 'requested');
}

/** Where the stop still waits for its workflow, the messages are ended here, so that the schedules find them so. */
export async function restart(trx: Trx, order: Order, schedules: NewSchedules): Promise<OrderResult> {
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
        skipped_at: null,
        version: set('version', '+', 1),
      }))
      .where('campaign_id', '=', order.campaign.id)
      .where('id', '=', messageId)
      .where('status', 'in', ['cancelled', 'cut'])
      .execute();
  }
  await resolveCampaignAlerts(trx, order.campaign.id, ['content_rejected']);
  await logOrder(trx, order, actionId, 'processing');
  return ordered(actionId, 'requested');
}

/** An operator's word against the content check: the campaign is prepared again and its content let pass. */
export async function overrule(trx: Trx, order: Order): Promise<OrderResult> {
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
  await logOrder(trx, order, actionId, 'processing');
  return ordered(actionId, 'requested');
}

function startModeOf(order: Order): StartMode {
  const mode = order.args['start'];
  return mode === 'now' || mode === 'later' ? mode : 'scheduled';
}

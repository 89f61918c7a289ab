import { roleOf } from '../../domain/campaign-actions.ts';
import { lockCampaign } from '../campaigns.ts';
import { actAs, type Trx } from '../database.ts';
import { overrule } from '../launch-orders.ts';
import { appendLog } from '../log.ts';
import { listMessages } from '../messages.ts';
import type { Order, OrderResult } from '../order-rows.ts';
import { followWhole } from './follow-whole.ts';
import { refusalToReopen, reopenCentral } from './reopen-central.ts';

/** Whose part a campaign is. */
export interface PartOf {
  readonly parentId: string;
  readonly centralId: string;
}

/**
 * Locks the central campaign of a part, for whoever is about to lock the part and may set it going again: the central
 * campaign comes first, as everywhere. Null where the campaign is no part.
 */
export async function lockCentralOf(trx: Trx, accountId: string, campaignId: string): Promise<PartOf | null> {
  const part = await trx
    .selectFrom('campaigns')
    .where('id', '=', campaignId)
    .select(['parent_id as parentId', 'central_id as centralId'])
    .executeTakeFirst();
  if (part === undefined || part.parentId === null || part.centralId === null) return null;
  const { parentId, centralId } = part;
  await actAs(trx, { from: accountId, to: parentId }, () => lockCampaign(trx, centralId));
  return { parentId, centralId };
}

/**
 * An operator's word against the content check, of any campaign. A part is only let go on as one: while its parent's campaign
 * is neither stopped nor gone, which goes on with it, so that the parent can pause and stop what is sent.
 */
export async function overruleCampaign(trx: Trx, order: Order): Promise<OrderResult> {
  const { accountId, centralId, id: campaignId, parentId } = order.campaign;
  if (roleOf(order.campaign) !== 'part' || centralId === null || parentId === null) {
    return overrule(trx, order);
  }
  const attached = await trx
    .selectFrom('campaigns')
    .where('id', '=', campaignId)
    .where('detached_at', 'is', null)
    .select('id')
    .executeTakeFirst();
  if (attached === undefined) {
    return { kind: 'refused', reason: 'It is no part of the central campaign any more.' };
  }
  const whole = await actAs(trx, { from: accountId, to: parentId }, async () => {
    const central = await lockCampaign(trx, centralId);
    if (central === null) return 'The central campaign was deleted, and its parts are not sent any more.';
    const reason = refusalToReopen(central);
    if (reason !== null) return reason;
    await reopenCentral(trx, central, accountId);
    await appendLog(trx, {
      accountId: parentId,
      campaignId: centralId,
      what: 'overrule_account',
      actor: order.actor,
      detail: { account: accountId },
    });
    return listMessages(trx, centralId);
  });
  if (typeof whole === 'string') return { kind: 'refused', reason: whole };
  await followWhole(trx, campaignId, whole, order.at);
  return overrule(trx, order);
}

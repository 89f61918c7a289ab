import { sql } from 'kysely';
import type { CampaignActionName } from '../../domain/campaign-actions.ts';
import { isLive } from '../../domain/campaign-status.ts';
import { BY_PARENT, type PartState } from '../../domain/central/part-states.ts';
import { orderAction } from '../campaign-orders.ts';
import type { NewSchedules } from '../order-rows.ts';
import type { MessageOrder } from '../campaign-step/message-orders.ts';
import { readStepMessages, resolveDueTimes } from '../campaign-step/step-messages.ts';
import { lockCampaign } from '../campaigns.ts';
import { actAs, type Db, type Trx, withAccount } from '../database.ts';
import { listMessages } from '../messages.ts';
import type { SliceOrder } from './central-plan.ts';
import { messagesOfPart, type OrderOfMessages, positionsOf } from './messages-of-part.ts';
import { noteToStart } from './note-runs.ts';
import { isReachedBy } from './reached-accounts.ts';

/** An order of a parent that is carried out in the parts of one slice. */
export interface CarryOut extends SliceOrder {
  /** The parent. */
  readonly accountId: string;
  readonly campaignId: string;
  /** Campaign time. */
  readonly at: number;
}

interface ParentsOrder extends OrderOfMessages {
  readonly id: string;
  readonly actor: { readonly id: string; readonly keyId?: string };
}

/** A part that has a campaign. */
interface OrderedPart {
  readonly subAccountId: string;
  readonly campaignId: string;
}

/** How the run of a part hears of an order. */
export interface PartRuns {
  /** Starts it, or wakes the one there is. */
  readonly wake: (part: OrderedPart) => Promise<unknown>;
  /** Wakes it if there is one. */
  readonly poke: (part: OrderedPart) => Promise<unknown>;
}

/** Names that an order of a parent has in a part: to delete the whole is to abort its parts, whose rows stay where they are. */
const NAMES: Readonly<Record<string, CampaignActionName>> = {
  stop: 'stop',
  abort: 'abort',
  delete: 'abort',
  restart: 'restart',
  reschedule: 'reschedule',
  resume: 'reschedule',
};

/**
 * Carries a parent's order out in one slice, each part in a transaction of its own whose run then hears of it, and
 * resolves with how many parts there were. Safe to repeat: a part takes an order once, and none once the order is
 * answered, so an attempt that was given up and goes on moves nothing under a later order. Parts of which nothing was
 * made yet are moved in the parent's own row, and what is restarted is started by its slice.
 */
export async function carryOutForSlice(db: Db, order: CarryOut, runs: PartRuns): Promise<number> {
  const { accountId, campaignId, actionId, slice } = order;
  const found = await withAccount(db, accountId, async (trx) => {
    if (!(await isStillWanted(trx, actionId))) return null;
    const action = await readOrder(trx, campaignId, actionId);
    await moveUnmade(trx, order, action.name);
    return { action, parts: await partsOf(trx, campaignId, slice, action.name) };
  });
  if (found === null) return 0;
  const { action, parts } = found;
  const isRestart = action.name === 'restart';
  for (const part of parts) {
    const hasTaken = await withAccount(db, accountId, async (trx) => {
      if (!(await isStillWanted(trx, actionId))) return false;
      const accounts = { from: accountId, to: part.subAccountId };
      return actAs(trx, accounts, () => orderOfPart(trx, part, action, order.at));
    });
    if (hasTaken) await (isRestart ? runs.poke(part) : runs.wake(part));
  }
  await withAccount(db, accountId, async (trx) => {
    if (!(await isStillWanted(trx, actionId))) return;
    if (isRestart) await noteToStart(trx, order);
    await trx
      .updateTable('action_slices')
      .set({ done_at: sql<Date>`clock_timestamp()` })
      .where('action_id', '=', actionId)
      .where('slice', '=', slice)
      .execute();
  });
  return parts.length;
}

/** Whether nobody has answered it yet, nor can before this transaction ends. */
async function isStillWanted(trx: Trx, actionId: string): Promise<boolean> {
  const { state } = await trx
    .selectFrom('actions')
    .where('id', '=', actionId)
    .select('state')
    .forShare()
    .executeTakeFirstOrThrow();
  return state === 'requested';
}

async function readOrder(trx: Trx, campaignId: string, actionId: string): Promise<ParentsOrder> {
  const row = await trx
    .selectFrom('actions')
    .where('id', '=', actionId)
    .select(['id', 'name', 'args', 'requested_by', 'key_id'])
    .executeTakeFirstOrThrow();
  const messages = await listMessages(trx, campaignId);
  return {
    id: row.id,
    name: row.name,
    args: row.args,
    actor: { id: row.requested_by, ...(row.key_id === null ? {} : { keyId: row.key_id }) },
    positions: positionsOf(messages),
  };
}

/** What an order makes of parts without a campaign. An abort comes also to those that a stop before it has kept from being made. */
const UNMADE: Readonly<Record<string, { readonly from: readonly PartState[]; readonly to: PartState }>> = {
  stop: { from: ['waiting'], to: 'stopped' },
  restart: { from: ['stopped'], to: 'waiting' },
  abort: { from: ['waiting', 'stopped'], to: 'aborted' },
  delete: { from: ['waiting', 'stopped'], to: 'aborted' },
};

/** Moves them so: whoever makes them finds them stopped, or no longer so. */
async function moveUnmade(trx: Trx, { campaignId, slice }: CarryOut, name: string): Promise<void> {
  const moved = UNMADE[name];
  if (moved === undefined) return;
  const { from, to } = moved;
  await trx
    .updateTable('central_parts')
    .set({
      state: to,
      reason: to === 'waiting' ? null : BY_PARENT,
      ended_at: to === 'waiting' ? null : sql<Date>`clock_timestamp()`,
      is_news: true,
      news_at: sql<Date>`clock_timestamp()`,
    })
    .where('central_id', '=', campaignId)
    .where('slice', '=', slice)
    .where('campaign_id', 'is', null)
    .where('state', 'in', from)
    .execute();
}

async function partsOf(trx: Trx, campaignId: string, slice: number, name: string): Promise<OrderedPart[]> {
  const rows = await trx
    .selectFrom('central_parts')
    .where('central_id', '=', campaignId)
    .where('slice', '=', slice)
    .where('campaign_id', 'is not', null)
    .where(isReachedBy(name))
    .select(['sub_account_id as subAccountId', 'campaign_id as campaignId'])
    .orderBy('number')
    .execute();
  return rows.flatMap(({ campaignId: id, subAccountId }) =>
    id === null ? [] : [{ subAccountId, campaignId: id }],
  );
}

/** Orders it of one part. False when its status does not allow it any more, or nothing of it concerns the part. */
async function orderOfPart(trx: Trx, part: OrderedPart, order: ParentsOrder, at: number): Promise<boolean> {
  const campaign = await lockCampaign(trx, part.campaignId);
  const name = NAMES[order.name];
  if (campaign === null || name === undefined) return false;
  const key = `${order.id}/${part.campaignId}`;
  const known = await trx.selectFrom('actions').where('signal_key', '=', key).select('id').executeTakeFirst();
  if (known !== undefined) return true;
  // Its run may not have begun, and the account may have moved to another zone.
  if (isLive(campaign.status)) {
    await resolveDueTimes(trx, await readStepMessages(trx, part.campaignId), at, true);
  }
  const orders = await messagesOfPart(trx, part.campaignId, order, at);
  if (name === 'reschedule' && orders.length === 0) return false;
  const reason = order.args['reason'];
  const result = await orderAction(
    trx,
    {
      campaign,
      name,
      at,
      actor: { ...order.actor, via: 'parent' },
      args: {
        ...(typeof reason === 'string' ? { reason } : {}),
        ...(orders.length === 0 ? {} : { messages: orders }),
      },
      cause: BY_PARENT,
      byParent: { key },
    },
    schedulesOf(orders),
  );
  return result.kind === 'ordered';
}

function schedulesOf(orders: readonly MessageOrder[]): NewSchedules {
  return new Map(
    orders.flatMap((order) =>
      order.do === 'schedule' ? [[order.messageId, { local: order.local, zone: order.zone }] as const] : [],
    ),
  );
}

import { sql } from 'kysely';
import { applyMessageOrders, type MessageOrder } from '../campaign-step/message-orders.ts';
import type { Trx } from '../database.ts';

/**
 * What a parent orders of its messages, in its own rows: parts that are made later are made from these, while those that
 * there are get it as an order of their own.
 */
export async function moveMessages(
  trx: Trx,
  campaignId: string,
  orders: readonly MessageOrder[],
  at: number,
): Promise<void> {
  const others = await sendWhereDue(trx, campaignId, orders, at);
  const begun = await applyMessageOrders(trx, campaignId, others, at);
  for (const order of others) {
    if (begun.includes(order.messageId)) await moveWhereNotBegun(trx, campaignId, order, at);
  }
}

/**
 * "Send" of messages at the same local time everywhere: where that has come they are due from this instant on, elsewhere
 * they keep their time. Resolves with the orders that are left, since they mean all accounts alike.
 */
async function sendWhereDue(
  trx: Trx,
  campaignId: string,
  orders: readonly MessageOrder[],
  at: number,
): Promise<readonly MessageOrder[]> {
  const wanted = orders.filter((order) => order.do === 'send').map(({ messageId }) => messageId);
  if (wanted.length === 0) return orders;
  const { timing } = await trx
    .selectFrom('central_sends')
    .where('campaign_id', '=', campaignId)
    .select('timing')
    .executeTakeFirstOrThrow();
  if (timing !== 'local_time') return orders;
  const kept = await trx
    .updateTable('messages')
    .set((set) => ({ not_before: new Date(at), version: set('version', '+', 1) }))
    .where('campaign_id', '=', campaignId)
    .where('id', 'in', wanted)
    // The parent's own message begins with the first zone, and others have their parts made later.
    .where('status', 'in', ['scheduled', 'sending'])
    // What was launched for "now" has no local time.
    .where('schedule_local', 'is not', null)
    .returning('id')
    .execute();
  return orders.filter(({ messageId }) => !kept.some(({ id }) => id === messageId));
}

/** The parent's own message stays begun, as it is in some accounts; the others have it from here. */
async function moveWhereNotBegun(
  trx: Trx,
  campaignId: string,
  order: MessageOrder,
  at: number,
): Promise<void> {
  const now = new Date(at);
  const due = sql<Date>`greatest(due_at, ${now}::timestamptz)`;
  const changes =
    order.do === 'skip'
      ? { skipped_at: now }
      : order.do === 'send'
        ? {
            not_before: now,
            due_at: due,
            // "Send" counts expiry anew.
            expires_at: sql<Date>`${due} + expires_after_ms * interval '1 millisecond'`,
          }
        : {
            schedule_local: order.local,
            schedule_zone: order.zone,
            not_before: null,
            due_at: null,
            expires_at: null,
          };
  await trx
    .updateTable('messages')
    .set((set) => ({ ...changes, version: set('version', '+', 1) }))
    .where('campaign_id', '=', campaignId)
    .where('id', '=', order.messageId)
    .where('status', '=', 'sending')
    .execute();
}

import type { MessageOrder } from '../campaign-step/message-orders.ts';
import type { Trx } from '../database.ts';

/**
 * "Send" of messages at the same local time everywhere: where that has come they are due from this instant on, elsewhere
 * they keep their time. Parts that there are get the same as an order of their own; those that are made later have it from
 * here. Resolves with the orders that are left, since they mean all accounts alike.
 */
export async function sendWhereDue(
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

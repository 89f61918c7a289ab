import { sql } from 'kysely';
import type { MessageStatus } from '../../domain/campaign-status.ts';
import { resolveAlerts } from '../alerts.ts';
import type { Trx } from '../database.ts';

/** What is to become of one message that has not begun. */
export type MessageOrder =
  | { readonly messageId: string; readonly do: 'send' }
  | { readonly messageId: string; readonly do: 'skip' }
  | { readonly messageId: string; readonly do: 'schedule'; readonly local: string; readonly zone: string };

/** Reads orders from an action's arguments; what is no order is left out, since the API has checked its own. */
export function parseMessageOrders(value: unknown): MessageOrder[] {
  if (!Array.isArray(value)) return [];
  const orders: MessageOrder[] = [];
  for (const item of value as unknown[]) {
    if (typeof item !== 'object' || item === null) continue;
    const { messageId, do: what, local, zone }: Partial<Record<string, unknown>> = { ...item };
    if (typeof messageId !== 'string') continue;
    if (what === 'send' || what === 'skip') orders.push({ messageId, do: what });
    else if (typeof local === 'string' && typeof zone === 'string') {
      orders.push({ messageId, do: 'schedule', local, zone });
    }
  }
  return orders;
}

/** Why a reschedule comes to nothing as a whole; null where each of the messages that it names waits for its time. */
export async function refusalOfReschedule(
  trx: Trx,
  campaignId: string,
  orders: readonly MessageOrder[],
): Promise<string | null> {
  if (orders.length === 0) return 'No message was named with a new schedule.';
  const waiting = await trx
    .selectFrom('messages')
    .where('campaign_id', '=', campaignId)
    .where('status', '=', 'scheduled')
    .select('id')
    .execute();
  const others = orders.filter((order) => !waiting.some(({ id }) => id === order.messageId));
  if (others.length === 0) return null;
  const ids = others.map((order) => order.messageId).join(', ');
  return `Only messages that wait for their time can be given another one, which these do not: ${ids}.`;
}

/** Applies orders to messages that have not begun. Resolves with the ids of those that have. */
export async function applyMessageOrders(
  trx: Trx,
  campaignId: string,
  orders: readonly MessageOrder[],
  at: number,
): Promise<string[]> {
  const missed: string[] = [];
  for (const order of orders) {
    const changes =
      order.do === 'send'
        ? { schedule_local: null, schedule_zone: null, due_at: new Date(at) }
        : order.do === 'skip'
          ? { status: 'cancelled' as const, ended_at: new Date(at) }
          : {
              schedule_local: order.local,
              schedule_zone: order.zone,
              not_before: null,
              due_at: null,
              expires_at: null,
            };
    const changed = await trx
      .updateTable('messages')
      .set((set) => ({ ...changes, version: set('version', '+', 1) }))
      .where('campaign_id', '=', campaignId)
      .where('id', '=', order.messageId)
      .where('status', '=', 'scheduled')
      .returning(['id', 'account_id', 'expires_after_ms'])
      .executeTakeFirst();
    if (changed === undefined) {
      missed.push(order.messageId);
      continue;
    }
    // Whoever gives a message its time anew has seen that it waits.
    const { id: subjectId, account_id: accountId } = changed;
    await resolveAlerts(trx, { accountId, kind: 'hours_changed', subjectId });
    if (order.do === 'send') {
      // "Send" counts expiry anew: whoever ordered it wants the text to go out now.
      await trx
        .updateTable('messages')
        .set({ expires_at: new Date(at + changed.expires_after_ms) })
        .where('id', '=', order.messageId)
        .execute();
    }
  }
  return missed;
}

/** Makes the first message that has not begun due at this instant. */
export async function setNow(trx: Trx, campaignId: string, at: number): Promise<void> {
  const first = await trx
    .selectFrom('messages')
    .where('campaign_id', '=', campaignId)
    .where('status', '=', 'scheduled')
    .select('id')
    .orderBy('position')
    .limit(1)
    .executeTakeFirst();
  if (first !== undefined)
    await applyMessageOrders(trx, campaignId, [{ messageId: first.id, do: 'send' }], at);
}

/** Stop and abort: what has not begun is cancelled, also in a part that was rejected; what has is cut. */
export async function endMessages(trx: Trx, campaignId: string, at: number): Promise<void> {
  await trx
    .updateTable('messages')
    .set((set) => ({
      status: 'cancelled' as const,
      schedule_local: null,
      schedule_zone: null,
      due_at: null,
      expires_at: null,
      ended_at: new Date(at),
      version: set('version', '+', 1),
    }))
    .where('campaign_id', '=', campaignId)
    .where('status', 'in', ['draft', 'scheduled'])
    .execute();
  await trx
    .updateTable('messages')
    .set((set) => ({
      status: 'cut' as const,
      texting: false,
      ended_at: new Date(at),
      version: set('version', '+', 1),
    }))
    .where('campaign_id', '=', campaignId)
    .where('status', '=', 'sending')
    .execute();
}

/** Takes back what a restart that comes to nothing has scheduled: what had begun before the stop is cut, as it was. */
export async function takeRestartBack(trx: Trx, campaignId: string, at: number): Promise<void> {
  await trx
    .updateTable('messages')
    .set((set) => ({
      status: sql<MessageStatus>`case when began_at is null then 'cancelled' else 'cut' end`,
      schedule_local: null,
      schedule_zone: null,
      due_at: null,
      expires_at: null,
      ended_at: new Date(at),
      version: set('version', '+', 1),
    }))
    .where('campaign_id', '=', campaignId)
    .where('status', '=', 'scheduled')
    .execute();
}

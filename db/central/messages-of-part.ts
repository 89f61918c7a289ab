import { type MessageOrder, parseMessageOrders } from '../campaign-step/message-orders.ts';
import type { Trx } from '../database.ts';
import { listMessages, type Message } from '../messages.ts';

/** What a parent orders of the messages of its central campaign. */
export interface OrderOfMessages {
  readonly name: string;
  /** With `messages` or `overdue`, by the central messages' ids. */
  readonly args: Record<string, unknown>;
  /** The central messages' places by their ids. */
  readonly positions: ReadonlyMap<string, number>;
}

/** The places of a campaign's messages by their ids: those of a part are at the same places as the central ones. */
export function positionsOf(messages: readonly Message[]): ReadonlyMap<string, number> {
  return new Map(messages.map(({ id, position }) => [id, position]));
}

/** What is ordered of the parent's messages, of the part's own at the same places that have not begun. */
export async function messagesOfPart(
  trx: Trx,
  partId: string,
  order: OrderOfMessages,
  at: number,
): Promise<MessageOrder[]> {
  const wanted = parseMessageOrders(order.args['messages'] ?? order.args['overdue']);
  if (wanted.length === 0) return [];
  const own = await listMessages(trx, partId);
  // A restart ends the part's messages itself, should its run not have done so since the stop.
  const statuses =
    order.name === 'restart'
      ? ['cancelled', 'cut', 'draft', 'scheduled', 'sending']
      : // Those of a rejected part are drafts.
        ['draft', 'scheduled'];
  return wanted.flatMap((one) => {
    const place = order.positions.get(one.messageId);
    const message = own.find(({ position, status }) => position === place && statuses.includes(status));
    if (message === undefined) return [];
    // Where the clocks are behind it is not overdue yet, and goes out at its time.
    const isEarly = order.name === 'resume' && one.do === 'send' && (message.dueAt?.getTime() ?? at) > at;
    return isEarly ? [] : [{ ...one, messageId: message.id }];
  });
}

/** A message of a part that is overdue. */
export interface OverdueMessage extends Pick<Message, 'id' | 'position'> {
  /** Epoch milliseconds, if nobody says anything of it. */
  readonly expiresAt: number;
}

/** The same, as a message that was due then. */
export function overdueSince({ id, position, expiresAfterMs }: Message, dueAt: number): OverdueMessage {
  return { id, position, expiresAt: dueAt + expiresAfterMs };
}

/**
 * The central messages that need a word before a part goes on: of those that are `overdue` in it, by its own ids, where
 * they are several, or one has expired, which would go to nobody without the parent being told. Empty where none does.
 */
export function unansweredOf(
  overdue: readonly OverdueMessage[],
  orders: readonly MessageOrder[],
  positions: ReadonlyMap<string, number>,
  at: number,
): string[] {
  const asked = overdue.length > 1 ? overdue : overdue.filter(({ expiresAt }) => expiresAt <= at);
  const unanswered = asked.filter(({ id }) => !orders.some(({ messageId }) => messageId === id));
  return [...positions].flatMap(([id, place]) =>
    unanswered.some(({ position }) => position === place) ? [id] : [],
  );
}

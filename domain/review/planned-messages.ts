import type { MessageStatus, StartMode } from '../campaign-status.ts';
import type { RoundKind } from '../round.ts';
import { instantOf, type Schedule } from '../schedule.ts';

/** An action that sets a campaign going, and how. */
export type LaunchOrder =
  | { readonly action: 'launch' | 'start'; readonly start: StartMode }
  | { readonly action: 'restart'; readonly schedules: ReadonlyMap<string, Schedule> }
  | { readonly action: RoundKind };

/** What a review is of: an action, or a campaign that runs already. */
export type ReviewOrder = LaunchOrder | { readonly action: 'run' };

interface PlannableMessage {
  readonly id: string;
  readonly status: MessageStatus;
  readonly scheduleLocal: string | null;
  readonly scheduleZone: string | null;
  readonly dueAt: Date | null;
}

/** A message that the order would send, and when it is due; null while nobody has said. */
export interface PlannedMessage<Message> {
  readonly message: Message;
  readonly schedule: Schedule | null;
  /** Campaign time in epoch milliseconds. */
  readonly dueAt: number | null;
}

/** The messages that an order sends, of a campaign's messages in their order; `at` is the instant of the order. */
export function plannedMessages<Message extends PlannableMessage>(
  order: ReviewOrder,
  messages: readonly Message[],
  at: number,
): PlannedMessage<Message>[] {
  if (order.action === 'run') {
    return messages
      .filter((message) => message.status === 'scheduled' || message.status === 'sending')
      .map((message) => ({ message, schedule: null, dueAt: message.dueAt?.getTime() ?? null }));
  }
  if (!('start' in order) && !('schedules' in order)) {
    return messages
      .filter((message) => message.status === 'sent' || message.status === 'expired')
      .map((message) => ({ message, schedule: null, dueAt: at }));
  }
  if ('schedules' in order) {
    return messages.flatMap((message) => {
      const schedule = order.schedules.get(message.id);
      return schedule === undefined ? [] : [{ message, schedule, dueAt: instantOf(schedule) }];
    });
  }
  const sent = order.action === 'launch' ? messages : messages.filter((one) => one.status === 'scheduled');
  return sent.map((message, index) => {
    if (order.start === 'now' && index === 0) return { message, schedule: null, dueAt: at };
    const { scheduleLocal: local, scheduleZone: zone } = message;
    const schedule = local === null || zone === null ? null : { local, zone };
    return { message, schedule, dueAt: schedule === null ? null : instantOf(schedule) };
  });
}

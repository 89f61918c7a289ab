import type { CentralTiming } from '../../domain/central/part-states.ts';
import { instantOf, type Schedule } from '../../domain/schedule.ts';
import { toLocal } from '../../domain/zoned-time.ts';
import type { MessageOrder } from '../campaign-step/message-orders.ts';
import type { Message } from '../messages.ts';

/** A message of a part that was stopped, with the time that its parent's restart has given it. */
export interface RestartedMessage {
  readonly message: Message;
  readonly schedule: Schedule;
  /** Epoch milliseconds. */
  readonly dueAt: number;
}

/** What the times of a part depend on. */
export interface PartClock {
  readonly timing: CentralTiming | null;
  /** The account's own. */
  readonly timeZone: string;
  /** Campaign time. */
  readonly at: number;
}

/**
 * What of a stopped part a restart of the whole was to send: its messages at the places of those central ones that were
 * given new times. One without a time was to go out at once.
 */
export function restartedMessages(
  own: readonly Message[],
  central: readonly Message[],
  { at, timeZone, timing }: PartClock,
): RestartedMessage[] {
  return central.flatMap(({ position, scheduleLocal, scheduleZone, skippedAt, status }) => {
    const message = own.find((one) => one.position === position && isEnded(one));
    // What was left out of the restart, or skipped after it, stays as the stop has left it.
    const isWanted = skippedAt === null && ['scheduled', 'sending', 'sent'].includes(status);
    if (message === undefined || !isWanted) return [];
    const schedule =
      scheduleLocal === null || scheduleZone === null
        ? { local: toLocal(at, timeZone), zone: timeZone }
        : { local: scheduleLocal, zone: timing === 'local_time' ? timeZone : scheduleZone };
    return [{ message, schedule, dueAt: instantOf(schedule) ?? at }];
  });
}

function isEnded({ status }: Message): boolean {
  return status === 'cancelled' || status === 'cut';
}

/** The times of a restart with what is said of single messages: one is left out, or sent at another time or now. */
export function schedulesOf(
  restarted: readonly RestartedMessage[],
  orders: readonly MessageOrder[],
  { at, timeZone }: PartClock,
): ReadonlyMap<string, Schedule> {
  return new Map(
    restarted.flatMap(({ message, schedule }) => {
      const order = orders.find(({ messageId }) => messageId === message.id);
      if (order?.do === 'skip') return [];
      if (order?.do === 'send')
        return [[message.id, { local: toLocal(at, timeZone), zone: timeZone }] as const];
      const given = order === undefined ? schedule : { local: order.local, zone: order.zone };
      return [[message.id, given] as const];
    }),
  );
}

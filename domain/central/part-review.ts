import type { MessageForecast } from '../forecast.ts';
import { instantOf, type Schedule } from '../schedule.ts';
import { resolveLocalTime } from '../zoned-time.ts';
import type { CentralTiming } from './part-states.ts';

/** Plan figures of one account's part: the only numbers that a parent gets without being granted more. */
export interface PartReview {
  readonly accountId: string;
  readonly name: string;
  readonly timeZone: string;
  readonly lists: number;
  readonly recipients: number;
  readonly segments: number;
  readonly costMicroUsd: number;
  readonly messages: readonly PartMessageReview[];
  /** Codes of what keeps the account from sending, of which the launch makes a suspension; see `PART_WARNINGS`. */
  readonly warnings: readonly PartWarning[];
  /** Codes of what refuses the launch because of this account. */
  readonly refusals: readonly PartRefusal[];
}

/** When a message is sent by one account; instants are campaign time in epoch milliseconds. */
export interface PartMessageReview {
  readonly position: number;
  readonly recipients: number;
  readonly segments: number;
  readonly costMicroUsd: number;
  readonly dueAt: number | null;
  /** When the first is texted; null when it expires before. */
  readonly startsAt: number | null;
  readonly endsAt: number | null;
  /** It lies in the account's quiet hours, so the account waits for its window. */
  readonly waits: boolean;
}

/** What a parent is warned of, for people: the others are sent all the same. */
export const PART_WARNINGS = {
  no_sender: 'It has no sender that may send this, so its part will be suspended until it has one.',
  list_gone: 'A list of it is gone, so its part will be suspended.',
  no_credit: 'There is no credit for its texts, so its part will be suspended.',
  registration_lapsed: 'The registration of its senders has lapsed, so its part will be suspended.',
  account_disabled: 'It is disabled, so nothing of it will be sent.',
  account_left: 'It is not your sub-account any more, so nothing of it will be sent.',
  held: 'Something holds the account, so that nothing of it is sent until that is lifted.',
  nobody: 'Nobody of its lists may be texted.',
  waits: 'The time lies in its quiet hours, so it waits until they end.',
  expires: 'It expires before everybody has been texted.',
} as const satisfies Record<string, string>;
export type PartWarning = keyof typeof PART_WARNINGS;

/** What refuses a launch at the same local time everywhere, for people. */
export const PART_REFUSALS = {
  'schedule-past': 'The time has passed in its zone. Choose a later one, or leave the account out.',
  'time-does-not-exist': 'The clocks go forward in its zone then, so this time does not exist there.',
} as const satisfies Record<string, string>;
export type PartRefusal = keyof typeof PART_REFUSALS;

/** When a message is due in an account's zone; null while it has no schedule. */
export function dueInZone(schedule: Schedule | null, timing: CentralTiming, timeZone: string): number | null {
  if (schedule === null) return null;
  return instantOf(timing === 'local_time' ? { local: schedule.local, zone: timeZone } : schedule);
}

/** Why a message cannot have this schedule in an account's zone at `at`; null when it can. */
export function refusalInZone(
  schedule: Schedule | null,
  timing: CentralTiming,
  timeZone: string,
  at: number,
): PartRefusal | null {
  if (schedule === null || timing !== 'local_time') return null;
  const resolved = resolveLocalTime(schedule.local, timeZone);
  if (resolved.kind === 'gap') return 'time-does-not-exist';
  return resolved.kind === 'instant' && resolved.at < at ? 'schedule-past' : null;
}

/** What the forecast of a message says of an account's part. */
export function timesOf(
  dueAt: number | null,
  forecast: MessageForecast | null,
): Pick<PartMessageReview, 'dueAt' | 'startsAt' | 'endsAt' | 'waits'> {
  const startsAt = forecast?.startsAt ?? null;
  return {
    dueAt,
    startsAt,
    endsAt: forecast?.endsAt ?? null,
    waits: dueAt !== null && startsAt !== null && startsAt > dueAt,
  };
}

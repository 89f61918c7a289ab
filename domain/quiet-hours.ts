import { timeOfDayMs, transitionBetween } from './zoned-time.ts';

/**
 * The part of each day in which an account texts nobody: wall-clock times 'HH:MM' in the account's zone,
 * half-open, so [20:00, 08:00) refuses 20:00:00 and allows 08:00:00. May cross midnight; equal bounds mean
 * that there are no quiet hours. A bound that the clocks skip takes effect at the first instant after the gap.
 */
export interface QuietHours {
  readonly start: string;
  readonly end: string;
}

const DAY_MS = 86_400_000;
const TIME_OF_DAY_PATTERN = /^(?:[01]\d|2[0-3]):[0-5]\d$/;

/** Whether the wall clock in the zone stands within the quiet hours at the instant. */
export function isQuiet(at: number, quiet: QuietHours, zone: string): boolean {
  const startMs = boundMs(quiet.start);
  const endMs = boundMs(quiet.end);
  if (startMs === endMs) return false;
  const timeMs = timeOfDayMs(at, zone);
  return startMs < endMs ? timeMs >= startMs && timeMs < endMs : timeMs >= startMs || timeMs < endMs;
}

/** The first instant from `at` on that is outside the quiet hours; `at` itself if it is. */
export function nextPermitted(at: number, quiet: QuietHours, zone: string): number {
  return isQuiet(at, quiet, zone) ? nextChange(at, true, quiet, zone) : at;
}

/** The next instant after `at` at which quiet hours begin; null if there are none. */
export function quietFrom(at: number, quiet: QuietHours, zone: string): number | null {
  if (boundMs(quiet.start) === boundMs(quiet.end)) return null;
  const permitted = nextPermitted(at, quiet, zone);
  return nextChange(permitted, false, quiet, zone);
}

/** Whether the value has the shape of quiet hours: two times 'HH:MM' from 00:00 to 23:59 and nothing else. */
export function isQuietHours(value: unknown): value is QuietHours {
  if (typeof value !== 'object' || value === null) return false;
  if (!('start' in value) || !('end' in value) || Object.keys(value).length !== 2) return false;
  return isTimeOfDay(value.start) && isTimeOfDay(value.end);
}

/**
 * The first instant after `at` at which quiet hours end (`quietNow`) or begin. Between two changes of the zone's
 * offset the wall clock runs straight, so the next bound is a subtraction away; a change on the way there is
 * visited first, because it can jump into the quiet hours or out of them.
 */
function nextChange(at: number, quietNow: boolean, quiet: QuietHours, zone: string): number {
  const targetMs = boundMs(quietNow ? quiet.end : quiet.start);
  let from = at;
  for (;;) {
    const aheadMs = (targetMs - timeOfDayMs(from, zone) + DAY_MS) % DAY_MS;
    const candidate = from + (aheadMs === 0 ? DAY_MS : aheadMs);
    const jump = transitionBetween(from, candidate, zone);
    if (jump === null) return candidate;
    if (isQuiet(jump, quiet, zone) !== quietNow) return jump;
    from = jump;
  }
}

function isTimeOfDay(value: unknown): boolean {
  return typeof value === 'string' && TIME_OF_DAY_PATTERN.test(value);
}

/** Milliseconds from midnight of a time 'HH:MM'; throws a RangeError for anything else. */
function boundMs(time: string): number {
  if (!TIME_OF_DAY_PATTERN.test(time)) throw new RangeError('A bound of quiet hours is a time HH:MM.');
  return (Number(time.slice(0, 2)) * 60 + Number(time.slice(3))) * 60_000;
}

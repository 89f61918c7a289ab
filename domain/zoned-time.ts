import { Temporal as ZonedCalendar } from 'temporal-polyfill';

/** What a wall-clock time means in a zone. `before` and `after` are its neighbours as 'YYYY-MM-DDTHH:MM:SS'. */
export type LocalTimeResolution =
  | { readonly kind: 'instant'; readonly at: number }
  | { readonly kind: 'gap'; readonly before: string; readonly after: string }
  | { readonly kind: 'malformed' };

const DAY_MS = 86_400_000;
const SECOND_MS = 1_000;
const FORMATTERS_MAX = 2_000;

const LOCAL_TIME_PATTERN = /^\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d)?$/;
const ZONE_NAME_PATTERN = /^[A-Za-z][A-Za-z0-9_+\-/]{0,63}$/;
const FORMATTED_PATTERN = /^(\d+)\/(\d+)\/(\d+), (\d+):(\d+):(\d+)$/;

/**
 * Resolves a wall-clock time 'YYYY-MM-DDTHH:MM[:SS]' in an IANA zone. A time that occurs twice is its first
 * occurrence; a time that the clocks skip is a gap, with the last second before it and the first after it.
 * Throws a RangeError for a zone that {@link isTimeZone} refuses.
 */
export function resolveLocalTime(local: string, zone: string): LocalTimeResolution {
  formatterOf(zone);
  const wallClock = parseLocalTime(local);
  if (wallClock === null) return { kind: 'malformed' };
  const earlier = wallClock.toZonedDateTime(zone, { disambiguation: 'earlier' });
  if (earlier.toPlainDateTime().equals(wallClock)) return { kind: 'instant', at: earlier.epochMilliseconds };
  // In a gap the two readings lie on either side of the jump: one uses the offset after it, one that before.
  const later = wallClock.toZonedDateTime(zone, { disambiguation: 'later' });
  const jump =
    transitionBetween(earlier.epochMilliseconds, later.epochMilliseconds, zone) ?? later.epochMilliseconds;
  return { kind: 'gap', before: toLocal(jump - SECOND_MS, zone), after: toLocal(jump, zone) };
}

/** Whether the name is an IANA time zone that this platform knows. Bare offsets such as +05:00 are not. */
export function isTimeZone(zone: string): boolean {
  try {
    formatterOf(zone);
    return true;
  } catch {
    return false;
  }
}

/** The wall clock at an instant, 'YYYY-MM-DDTHH:MM:SS'; fractions of a second are cut. */
export function toLocal(at: number, zone: string): string {
  return new Date(at + offsetMs(at, zone)).toISOString().slice(0, 19);
}

/** The instant in RFC 3339 with the zone's offset, with milliseconds only where there are some. */
export function toOffsetString(at: number, zone: string): string {
  // RFC 3339 has no seconds in an offset, so local mean times of long ago are shown at the minute below.
  const offsetMinutes = Math.floor(offsetMs(at, zone) / 60_000);
  const wallClock = new Date(at + offsetMinutes * 60_000).toISOString();
  const digits = at % SECOND_MS === 0 ? wallClock.slice(0, 19) : wallClock.slice(0, 23);
  const size = Math.abs(offsetMinutes);
  return `${digits}${offsetMinutes < 0 ? '-' : '+'}${twoDigits(Math.floor(size / 60))}:${twoDigits(size % 60)}`;
}

/** The calendar month at an instant, 'YYYY-MM'. */
export function monthOf(at: number, zone: string): string {
  return toLocal(at, zone).slice(0, 7);
}

/** The first instant of the calendar month that contains the instant. */
export function startOfMonth(at: number, zone: string): number {
  return firstInstantOf(`${monthOf(at, zone)}-01`, zone);
}

/** The first instant of the calendar month after the one that contains the instant. */
export function startOfNextMonth(at: number, zone: string): number {
  const next = ZonedCalendar.PlainYearMonth.from(monthOf(at, zone)).add({ months: 1 });
  return firstInstantOf(`${next.toString()}-01`, zone);
}

/** The first instant of the calendar day after the one that contains the instant. */
export function startOfNextDay(at: number, zone: string): number {
  const next = ZonedCalendar.PlainDate.from(toLocal(at, zone).slice(0, 10)).add({ days: 1 });
  return firstInstantOf(next.toString(), zone);
}

/** How far the wall clock is ahead of UTC at an instant, in milliseconds. */
export function offsetMs(at: number, zone: string): number {
  const wholeSeconds = Math.floor(at / SECOND_MS) * SECOND_MS;
  const fields = FORMATTED_PATTERN.exec(formatterOf(zone).format(wholeSeconds));
  if (fields === null) throw new RangeError('The instant is outside the supported range.');
  const [, month, day, year, hour, minute, second] = fields;
  const wallClock = Date.UTC(
    +(year ?? 0),
    +(month ?? 0) - 1,
    +(day ?? 0),
    +(hour ?? 0),
    +(minute ?? 0),
    +(second ?? 0),
  );
  return wallClock - wholeSeconds;
}

/**
 * The first instant in (from, until] at which the zone's offset has changed, or null if it is the same at both
 * ends. For spans of a day or two: two changes that cancel each other within the span are not seen.
 */
export function transitionBetween(from: number, until: number, zone: string): number | null {
  const before = offsetMs(from, zone);
  if (offsetMs(until, zone) === before) return null;
  let low = from;
  let high = until;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetMs(middle, zone) === before) low = middle;
    else high = middle;
  }
  return high;
}

/** The time of day on the wall clock at an instant, in milliseconds since its midnight. */
export function timeOfDayMs(at: number, zone: string): number {
  const wallClock = (at + offsetMs(at, zone)) % DAY_MS;
  return wallClock < 0 ? wallClock + DAY_MS : wallClock;
}

function firstInstantOf(date: string, zone: string): number {
  return ZonedCalendar.PlainDate.from(date).toZonedDateTime(zone).epochMilliseconds;
}

function parseLocalTime(local: string): ZonedCalendar.PlainDateTime | null {
  if (!LOCAL_TIME_PATTERN.test(local)) return null;
  try {
    return ZonedCalendar.PlainDateTime.from(local);
  } catch {
    return null;
  }
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

// Making a formatter costs some hundred times what using it does, so each zone's is kept. Names come from
// callers and are matched without regard to case, hence the bound.
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatterOf(zone: string): Intl.DateTimeFormat {
  const known = formatters.get(zone);
  if (known !== undefined) return known;
  if (!ZONE_NAME_PATTERN.test(zone)) throw new RangeError('Not the name of an IANA time zone.');
  const formatter = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  if (formatters.size >= FORMATTERS_MAX) formatters.clear();
  formatters.set(zone, formatter);
  return formatter;
}

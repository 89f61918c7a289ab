import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isQuiet, isQuietHours, nextPermitted, quietFrom } from '../../domain/quiet-hours.ts';
import { toLocal } from '../../domain/zoned-time.ts';

const night = { start: '20:00', end: '08:00' };
const utc = (text: string): number => Date.parse(`${text}Z`);
const newYork = 'America/New_York';

/** Zones with changes of half an hour, at midnight, of a whole day, twice in a year, and none at all. */
const awkwardZones = [
  'Australia/Lord_Howe',
  'America/Santiago',
  'Pacific/Apia',
  'Africa/Casablanca',
  'Africa/Cairo',
  'Asia/Beirut',
  'America/Havana',
  'Asia/Kathmandu',
  newYork,
  'Europe/Dublin',
];
const anyZone = fc.oneof(
  fc.constantFrom(...awkwardZones),
  fc.constantFrom(...Intl.supportedValuesOf('timeZone')),
);
const anyTime = fc
  .record({ hour: fc.integer({ min: 0, max: 23 }), minute: fc.constantFrom(0, 1, 15, 29, 30, 45, 59) })
  .map(({ hour, minute }) => `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`);
const anyQuietHours = fc.record({ start: anyTime, end: anyTime });
const anyInstant = fc.integer({ min: utc('2005-01-01T00:00:00'), max: utc('2040-12-31T23:59:59') });

/** Instants within two days of a change of the zone's offset, where all that is hard happens. */
const nearChange = fc
  .record({ zone: anyZone, at: anyInstant })
  .map(({ zone, at }) => ({ zone, at: nextOffsetChange(at, zone) ?? at }))
  .chain(({ zone, at }) =>
    fc.integer({ min: -172_800, max: 172_800 }).map((seconds) => ({ zone, at: at + seconds * 1000 })),
  );

describe('quiet hours are half-open', () => {
  test.each([
    ['2025-01-16T00:59:59', false],
    ['2025-01-16T01:00:00', true],
    ['2025-01-16T12:59:59', true],
    ['2025-01-16T13:00:00', false],
  ])('20:00 to 08:00 in New York: %sZ quiet is %s', (at, expected) => {
    expect(isQuiet(utc(at), night, newYork)).toBe(expected);
  });

  test('the last millisecond before they end is quiet', () => {
    expect(isQuiet(utc('2025-01-16T13:00:00') - 1, night, newYork)).toBe(true);
  });

  test('equal bounds mean that there are none', () => {
    const none = { start: '08:00', end: '08:00' };
    const at = utc('2025-01-16T13:00:00');
    expect([
      isQuiet(at, none, newYork),
      nextPermitted(at, none, newYork),
      quietFrom(at, none, newYork),
    ]).toEqual([false, at, null]);
  });
});

describe('the next permitted instant', () => {
  test.each([
    ['permitted now', '2025-01-15T15:00:00', night, newYork, '2025-01-15T15:00:00'],
    ['the next morning', '2025-01-16T02:00:00', night, newYork, '2025-01-16T13:00:00'],
    [
      'a morning an hour sooner after the clocks went forward',
      '2025-03-09T02:00:00',
      night,
      newYork,
      '2025-03-09T12:00:00',
    ],
    [
      'a morning an hour later after they went back',
      '2025-11-02T02:00:00',
      night,
      newYork,
      '2025-11-02T13:00:00',
    ],
    [
      'an end that is skipped',
      '2025-03-09T06:30:00',
      { start: '20:00', end: '02:30' },
      newYork,
      '2025-03-09T07:00:00',
    ],
    [
      'an end that occurs twice: its first time',
      '2025-11-02T05:10:00',
      { start: '20:00', end: '01:30' },
      newYork,
      '2025-11-02T05:30:00',
    ],
    [
      'half an hour in Lord Howe',
      '2025-10-04T14:00:00',
      { start: '20:00', end: '02:15' },
      'Australia/Lord_Howe',
      '2025-10-04T15:30:00',
    ],
    [
      'an end at a midnight that is skipped',
      '2025-09-07T03:30:00',
      { start: '20:00', end: '00:00' },
      'America/Santiago',
      '2025-09-07T04:00:00',
    ],
    ['a whole day that is skipped', '2011-12-30T09:00:00', night, 'Pacific/Apia', '2011-12-30T18:00:00'],
  ])('%s', (_name, at, quiet, zone, expected) => {
    expect(new Date(nextPermitted(utc(at), quiet, zone)).toISOString()).toBe(`${expected}.000Z`);
  });
});

describe('the next beginning', () => {
  test.each([
    ['this evening', '2025-01-15T15:00:00', night, newYork, '2025-01-16T01:00:00'],
    ['at the bound itself: the next evening', '2025-01-16T01:00:00', night, newYork, '2025-01-17T01:00:00'],
    ['while it is quiet: the next evening', '2025-01-16T05:00:00', night, newYork, '2025-01-17T01:00:00'],
    [
      'a start that is skipped',
      '2025-03-09T06:00:00',
      { start: '02:30', end: '08:00' },
      newYork,
      '2025-03-09T07:00:00',
    ],
    [
      'quiet hours that are skipped as a whole',
      '2025-03-09T06:00:00',
      { start: '02:15', end: '02:45' },
      newYork,
      '2025-03-10T06:15:00',
    ],
    [
      'the clocks going back into quiet hours',
      '2025-11-02T05:40:00',
      { start: '20:00', end: '01:30' },
      newYork,
      '2025-11-02T06:00:00',
    ],
  ])('%s', (_name, at, quiet, zone, expected) => {
    const begins = quietFrom(utc(at), quiet, zone);
    expect(begins === null ? null : new Date(begins).toISOString()).toBe(`${expected}.000Z`);
  });
});

describe('in any zone', () => {
  test('quiet is what the local wall clock says', () => {
    fc.assert(
      fc.property(nearChange, anyQuietHours, ({ zone, at }, quiet) => {
        const time = toLocal(at, zone).slice(11, 16);
        const { start, end } = quiet;
        const expected =
          start === end ? false : start < end ? time >= start && time < end : time >= start || time < end;
        expect(isQuiet(at, quiet, zone)).toBe(expected);
      }),
    );
  });

  test('the next permitted instant is permitted and no permitted one lies before it', () => {
    fc.assert(
      fc.property(nearChange, anyQuietHours, ({ zone, at }, quiet) => {
        const permitted = nextPermitted(at, quiet, zone);
        expect(permitted).toBeGreaterThanOrEqual(at);
        expect(isQuiet(permitted, quiet, zone)).toBe(false);
        expect(samples(at, permitted).every((instant) => isQuiet(instant, quiet, zone))).toBe(true);
      }),
    );
  });

  test('the next beginning is quiet, the instant before it is not, and no other lies before it', () => {
    fc.assert(
      fc.property(nearChange, anyQuietHours, ({ zone, at }, quiet) => {
        fc.pre(quiet.start !== quiet.end);
        const begins = quietFrom(at, quiet, zone) ?? Number.NaN;
        expect(begins).toBeGreaterThan(at);
        expect(isQuiet(begins, quiet, zone)).toBe(true);
        expect(isQuiet(begins - 1, quiet, zone)).toBe(false);
        const permitted = nextPermitted(at, quiet, zone);
        expect(samples(permitted, begins).some((instant) => isQuiet(instant, quiet, zone))).toBe(false);
      }),
    );
  });
});

describe('quiet hours from outside', () => {
  test.each([[night], [{ start: '00:00', end: '00:00' }], [{ start: '23:59', end: '00:01' }]])(
    '%j are quiet hours',
    (value) => expect(isQuietHours(value)).toBe(true),
  );
  test.each([
    [null],
    ['20:00'],
    [{ start: '20:00' }],
    [{ start: '24:00', end: '08:00' }],
    [{ start: '20:60', end: '08:00' }],
    [{ start: '8:00', end: '20:00' }],
    [{ start: '20:00:00', end: '08:00' }],
    [{ start: '20:00', end: '08:00', zone: 'UTC' }],
    [{ start: 20, end: 8 }],
  ])('%j are not', (value) => expect(isQuietHours(value)).toBe(false));
  test('a malformed bound is an error, never a permission', () => {
    expect(() => isQuiet(0, { start: '8pm', end: '08:00' }, 'UTC')).toThrow(RangeError);
  });
});

/** Instants of [from, until), the quarters of an hour and its last millisecond among them. */
function samples(from: number, until: number): number[] {
  const quarterMs = 900_000;
  const found: number[] = [];
  for (let at = from; at < until; at += quarterMs) {
    found.push(at);
    const quarter = Math.ceil(at / quarterMs) * quarterMs;
    if (quarter < until) found.push(quarter);
  }
  if (until > from) found.push(until - 1);
  return found;
}

/** The first day from `at` on, within a year, at whose end the wall clock has moved. */
function nextOffsetChange(at: number, zone: string): number | null {
  const timeOf = (instant: number): string => toLocal(instant, zone).slice(11);
  for (let day = 0; day < 366; day += 1) {
    const from = at + day * 86_400_000;
    if (timeOf(from) !== timeOf(from + 86_400_000)) return from;
  }
  return null;
}

import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isTimeZone,
  monthOf,
  offsetMs,
  resolveLocalTime,
  startOfMonth,
  startOfNextMonth,
  timeOfDayMs,
  toLocal,
  toOffsetString,
  transitionBetween,
} from '../../domain/zoned-time.ts';

const utc = (text: string): number => Date.parse(`${text}Z`);
const zones = Intl.supportedValuesOf('timeZone');
const anyZone = fc.constantFrom(...zones);
const anyInstant = fc.integer({ min: utc('1990-01-01T00:00:00'), max: utc('2049-12-31T23:59:59') });

describe('time zones', () => {
  test.each(['Europe/Berlin', 'America/Argentina/Buenos_Aires', 'UTC', 'Etc/GMT+5', 'Asia/Calcutta', 'EST'])(
    'the IANA name %s is a time zone',
    (zone) => expect(isTimeZone(zone)).toBe(true),
  );
  test.each([
    '+05:00',
    '-0800',
    '05:00',
    'GMT+5',
    '',
    ' ',
    'Mars/Olympus',
    'Europe/Berlin\u0000',
    'x'.repeat(300),
  ])('%j is not a time zone', (zone) => expect(isTimeZone(zone)).toBe(false));
  test('a zone that does not exist is an error, not UTC', () => {
    expect(() => toLocal(0, 'Mars/Olympus')).toThrow(RangeError);
    expect(() => resolveLocalTime('2025-01-01T10:00', '+05:00')).toThrow(RangeError);
  });
});

describe('local times', () => {
  test.each([
    ['2025-01-15T10:00', 'America/New_York', '2025-01-15T15:00:00'],
    ['2025-07-15T10:00:30', 'America/New_York', '2025-07-15T14:00:30'],
    ['2025-01-15T10:00', 'Asia/Kathmandu', '2025-01-15T04:15:00'],
    ['2025-01-15T10:00', 'Australia/Lord_Howe', '2025-01-14T23:00:00'],
    ['1970-01-01T00:00', 'UTC', '1970-01-01T00:00:00'],
  ])('%s in %s is %sZ', (local, zone, expected) => {
    expect(resolveLocalTime(local, zone)).toEqual({ kind: 'instant', at: utc(expected) });
  });

  test.each([
    ['2025-11-02T01:30', 'America/New_York', '2025-11-02T05:30:00'],
    ['2025-10-26T02:30', 'Europe/Berlin', '2025-10-26T00:30:00'],
    ['2025-04-06T01:45', 'Australia/Lord_Howe', '2025-04-05T14:45:00'],
  ])('%s in %s, which occurs twice, is the first time', (local, zone, expected) => {
    expect(resolveLocalTime(local, zone)).toEqual({ kind: 'instant', at: utc(expected) });
  });

  test.each([
    ['2025-03-09T02:30', 'America/New_York', '2025-03-09T01:59:59', '2025-03-09T03:00:00'],
    ['2025-03-30T02:00', 'Europe/Berlin', '2025-03-30T01:59:59', '2025-03-30T03:00:00'],
    ['2025-10-05T02:15', 'Australia/Lord_Howe', '2025-10-05T01:59:59', '2025-10-05T02:30:00'],
    ['2025-09-07T00:30', 'America/Santiago', '2025-09-06T23:59:59', '2025-09-07T01:00:00'],
    ['2011-12-30T12:00', 'Pacific/Apia', '2011-12-29T23:59:59', '2011-12-31T00:00:00'],
  ])('%s in %s does not exist and has neighbours', (local, zone, before, after) => {
    expect(resolveLocalTime(local, zone)).toEqual({ kind: 'gap', before, after });
  });

  test.each([
    '2025-02-30T10:00',
    '2025-13-01T10:00',
    '2025-01-01T24:00',
    '2025-01-01T10:60',
    '2025-01-01T10:00:60',
    '2025-01-01 10:00',
    '2025-01-01T10:00Z',
    '2025-01-01T10:00+01:00',
    '2025-01-01T10:00[Europe/Berlin]',
    '2025-1-1T10:00',
    '2025-01-01',
    '+002025-01-01T10:00',
    '',
  ])('%j is malformed', (local) => {
    expect(resolveLocalTime(local, 'UTC')).toEqual({ kind: 'malformed' });
  });

  test('a local time that exists resolves to an instant that shows it again', () => {
    fc.assert(
      fc.property(anyInstant, anyZone, (instant, zone) => {
        const local = toLocal(instant, zone);
        const resolved = resolveLocalTime(local, zone);
        if (resolved.kind !== 'instant') throw new Error(`${local} in ${zone} should exist`);
        expect(toLocal(resolved.at, zone)).toBe(local);
        expect(resolved.at).toBeLessThanOrEqual(instant);
      }),
    );
  });

  test('the neighbours of a gap exist and are next to each other', () => {
    const gaps = fc
      .record({
        zone: anyZone,
        year: fc.integer({ min: 1990, max: 2037 }),
        day: fc.integer({ min: 0, max: 364 }),
      })
      .map(({ zone, year, day }) => ({ zone, from: Date.UTC(year, 0, 1) + day * 86_400_000 }))
      .filter(({ zone, from }) => offsetMs(from + 86_400_000, zone) > offsetMs(from, zone));
    fc.assert(
      fc.property(gaps, fc.double({ min: 0, max: 0.999, noNaN: true }), ({ zone, from }, part) => {
        const jump = transitionBetween(from, from + 86_400_000, zone);
        if (jump === null) throw new Error('a gap has a transition');
        const gapMs = offsetMs(jump, zone) - offsetMs(jump - 1, zone);
        const wallClock = jump + offsetMs(jump - 1, zone) + Math.floor((gapMs * part) / 1000) * 1000;
        const resolved = resolveLocalTime(new Date(wallClock).toISOString().slice(0, 19), zone);
        if (resolved.kind !== 'gap') throw new Error(`${zone} has a gap there`);
        expect(resolveLocalTime(resolved.before, zone).kind).toBe('instant');
        expect(resolveLocalTime(resolved.after, zone)).toEqual({ kind: 'instant', at: jump });
      }),
      { numRuns: 30 },
    );
  });
});

describe('instants as text', () => {
  test.each([
    [utc('2025-01-15T15:00:00'), 'America/New_York', '2025-01-15T10:00:00-05:00'],
    [utc('2025-01-15T15:00:00') + 5, 'UTC', '2025-01-15T15:00:00.005+00:00'],
    [utc('2025-01-15T15:00:00'), 'Asia/Kathmandu', '2025-01-15T20:45:00+05:45'],
    [utc('2025-01-15T15:00:00'), 'America/St_Johns', '2025-01-15T11:30:00-03:30'],
    [utc('1880-01-01T00:00:00'), 'Africa/Monrovia', '1879-12-31T23:16:00-00:44'],
  ])('%i in %s is %s', (instant, zone, expected) => expect(toOffsetString(instant, zone)).toBe(expected));

  test('an instant with its offset parses back to itself', () => {
    fc.assert(
      fc.property(anyInstant, anyZone, (instant, zone) => {
        expect(Date.parse(toOffsetString(instant, zone))).toBe(instant);
      }),
    );
  });

  test('the time of day agrees with the local time', () => {
    fc.assert(
      fc.property(anyInstant, anyZone, (instant, zone) => {
        const local = new Date(timeOfDayMs(instant, zone)).toISOString().slice(11, 19);
        expect(toLocal(instant, zone).slice(11)).toBe(local);
      }),
    );
  });
});

describe('months', () => {
  test('a month ends at midnight in the zone, not in UTC', () => {
    expect(monthOf(utc('2025-02-01T04:59:59'), 'America/New_York')).toBe('2025-01');
    expect(monthOf(utc('2025-02-01T05:00:00'), 'America/New_York')).toBe('2025-02');
    expect(startOfMonth(utc('2025-02-14T00:00:00'), 'America/New_York')).toBe(utc('2025-02-01T05:00:00'));
    expect(startOfNextMonth(utc('2025-12-14T00:00:00'), 'America/New_York')).toBe(utc('2026-01-01T05:00:00'));
  });

  test('an instant lies in its month, whose neighbours are other months', () => {
    fc.assert(
      fc.property(anyInstant, anyZone, (instant, zone) => {
        const [start, next] = [startOfMonth(instant, zone), startOfNextMonth(instant, zone)];
        expect(start <= instant && instant < next).toBe(true);
        expect([monthOf(start, zone), monthOf(next - 1, zone)]).toEqual([
          monthOf(instant, zone),
          monthOf(instant, zone),
        ]);
        expect(
          monthOf(start - 1, zone) < monthOf(instant, zone) && monthOf(next, zone) > monthOf(instant, zone),
        ).toBe(true);
      }),
    );
  });
});

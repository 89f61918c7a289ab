import { describe, expect, it } from 'vitest';
import { instantOf } from '../../domain/schedule.ts';

describe('the instant of a schedule', () => {
  it.each([
    ['2026-07-01T10:00', 'America/New_York', '2026-07-01T14:00:00Z'],
    ['2026-12-01T10:00:30', 'America/New_York', '2026-12-01T15:00:30Z'],
    ['2026-07-01T10:00', 'Asia/Kathmandu', '2026-07-01T04:15:00Z'],
    // The clocks show this time twice: the first counts.
    ['2026-11-01T01:30', 'America/New_York', '2026-11-01T05:30:00Z'],
    // Stored before the zone's data changed, this time does not exist any more: the first one after the gap.
    ['2026-03-08T02:30', 'America/New_York', '2026-03-08T07:00:00Z'],
    ['2026-03-29T02:59:59', 'Europe/Berlin', '2026-03-29T01:00:00Z'],
  ])('of %s in %s is %s', (local, zone, instant) => {
    expect(new Date(instantOf({ local, zone }) ?? Number.NaN).toISOString()).toBe(
      new Date(instant).toISOString(),
    );
  });

  it('is none when the time is malformed', () => {
    expect(instantOf({ local: '2026-02-30T10:00', zone: 'Europe/Berlin' })).toBeNull();
  });
});

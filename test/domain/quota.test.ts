import { describe, expect, it } from 'vitest';
import {
  capBelow,
  dayOfQuota,
  paceWithin,
  type Quota,
  quotaIntervalMs,
  resetsAt,
  unitsLeft,
} from '../../domain/dispatch/quota.ts';

const brand: Quota = {
  id: 'quo_1',
  name: 'Brand',
  rateUnits: null,
  ratePeriod: 'second',
  dayUnits: 2_000,
  resetZone: 'America/Los_Angeles',
  sharePercent: 100,
};
const minute: Quota = { ...brand, dayUnits: null, rateUnits: 75, ratePeriod: 'minute' };
const EVENING = Date.parse('2026-03-03T23:59:59-08:00');
const MIDNIGHT = EVENING + 1_000;

describe('a quota', () => {
  it('spreads its rate over its period, and counts a share of each text', () => {
    expect(quotaIntervalMs(minute)).toBe(800);
    expect(quotaIntervalMs({ ...minute, sharePercent: 25 })).toBe(200);
    expect(quotaIntervalMs(brand)).toBe(0);
  });

  it('leaves a sender the slowest of its paces', () => {
    expect(paceWithin(null, [])).toBe(null);
    expect(paceWithin(null, [brand])).toBe(null);
    expect(paceWithin(10, [minute])).toBe(1.25);
    expect(paceWithin(1, [minute, { ...minute, rateUnits: 600 }])).toBe(1);
  });

  it('begins a day at midnight of its own zone, also where the clocks are changed', () => {
    const use = { day: '2026-03-03', dayHundredths: 200_000 };
    expect(unitsLeft(brand, use, EVENING)).toBe(0);
    expect(unitsLeft(brand, use, MIDNIGHT)).toBe(2_000);
    expect(resetsAt(brand, EVENING)).toBe(MIDNIGHT);
    // The night in which the clocks go forward has 23 hours.
    const saturday = Date.parse('2026-03-08T00:00:00-08:00');
    expect(resetsAt(brand, saturday)).toBe(Date.parse('2026-03-09T00:00:00-07:00'));
  });

  it('does not go back to a day that others have left', () => {
    const use = { day: '2026-03-04', dayHundredths: 199_900 };
    expect(dayOfQuota(brand, use, EVENING)).toBe('2026-03-04');
    expect(unitsLeft(brand, use, EVENING)).toBe(1);
  });

  it('lets as many units through as their shares allow', () => {
    const use = { day: '2026-03-03', dayHundredths: 100_000 };
    expect(unitsLeft({ ...brand, sharePercent: 30 }, use, EVENING)).toBe(3_333);
    expect(unitsLeft({ ...brand, dayUnits: 500 }, use, EVENING)).toBe(0);
    expect(unitsLeft(minute, use, EVENING)).toBe(Number.POSITIVE_INFINITY);
  });

  it('is named when it is less than what a message needs in a day', () => {
    const third = { ...brand, name: 'Third', sharePercent: 30 };
    expect(capBelow([brand, third, minute], 2_000)).toBe(null);
    expect(capBelow([third, brand], 2_001)).toEqual({ name: 'Brand', units: 2_000 });
  });
});

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { campaignClock } from '../../activities/campaign-clock.ts';

const ORDERED_AT = Date.parse('2026-03-03T19:55:00-05:00');
const MINUTE_MS = 60_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('a worker whose clock is behind comes to quiet hours no later than the time that has passed since its order', () => {
  vi.setSystemTime(ORDERED_AT - 60 * MINUTE_MS);
  const now = campaignClock({ at: ORDERED_AT, time: 'real' });
  expect(now()).toBe(ORDERED_AT);
  vi.advanceTimersByTime(5 * MINUTE_MS);
  expect(now()).toBe(ORDERED_AT + 5 * MINUTE_MS);
});

test('a clock that is put back takes no campaign back', () => {
  vi.setSystemTime(ORDERED_AT);
  const now = campaignClock({ at: ORDERED_AT, time: 'real' });
  vi.advanceTimersByTime(5 * MINUTE_MS);
  vi.setSystemTime(ORDERED_AT - 60 * MINUTE_MS);
  expect(now()).toBe(ORDERED_AT + 5 * MINUTE_MS);
});

test('an order that had to wait begins at the time that it has become', () => {
  vi.setSystemTime(ORDERED_AT + 30 * MINUTE_MS);
  expect(campaignClock({ at: ORDERED_AT, time: 'real' })()).toBe(ORDERED_AT + 30 * MINUTE_MS);
});

test('virtual time follows its order, whatever the clock says', () => {
  vi.setSystemTime(ORDERED_AT + 30 * MINUTE_MS);
  const now = campaignClock({ at: ORDERED_AT, time: 'virtual' });
  vi.advanceTimersByTime(MINUTE_MS);
  expect(now()).toBe(ORDERED_AT + MINUTE_MS);
});

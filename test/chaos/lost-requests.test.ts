import { expect, test } from 'vitest';
import { type LostRequest, unexplained, whenLost } from '../../chaos/lost-requests.ts';

const SLOTS = 2;
const MINUTE_MS = 60_000;
const lost = (leasedAt: number, fencedAt: number): LostRequest => ({ leasedAt, fencedAt });
const hit = (at: number, workers = 1) => ({ what: 'worker', beganAt: at, endedAt: at + 10, workers });

test('a harm explains no more requests than the workers that it hit have slots', () => {
  const three = [lost(90, 500), lost(95, 500), lost(99, 500)];
  expect(unexplained(three, [hit(100)], SLOTS)).toHaveLength(1);
  expect(unexplained(three, [hit(100, 2)], SLOTS)).toHaveLength(0);
});

test('nothing is explained by what came after it was given up, or long before it was leased', () => {
  expect(unexplained([lost(10, 90)], [hit(100)], SLOTS)).toHaveLength(1);
  expect(unexplained([lost(MINUTE_MS, 2 * MINUTE_MS)], [hit(100)], SLOTS)).toHaveLength(1);
  expect(unexplained([lost(10, 90)], [], SLOTS)).toHaveLength(1);
});

test('what only an earlier harm can explain is explained by it, and the rest by a later one', () => {
  const requests = [lost(10, 900), lost(10, 900), lost(20, 200), lost(20, 200)];
  expect(unexplained(requests, [hit(100), hit(300)], SLOTS)).toHaveLength(0);
});

test('what nothing explains is told with when it was leased and given up, beside what was done', () => {
  expect(whenLost([lost(20_000, 31_000), lost(20_000, 31_000)], [hit(5_000)])).toBe(
    'leased and given up, in seconds: 15-26; harms: worker 0-0',
  );
});

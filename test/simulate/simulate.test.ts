import { expect, test } from 'vitest';
import { runSeed } from '../../simulate/run-seed.ts';

const SEEDS = 500;

test(`nobody is texted twice and nobody forgotten in ${SEEDS} simulated worlds`, async () => {
  const failures: string[] = [];
  let accepted = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const result = await runSeed(seed);
    accepted += result.accepted;
    failures.push(...result.violations.map((violation) => `seed ${seed}: ${violation}`));
  }
  expect(failures).toEqual([]);
  // The worlds are no empty ones.
  expect(accepted).toBeGreaterThan(SEEDS);
});

test('the same seed is the same world, event by event', async () => {
  const one = await runSeed(7, { keepsTrace: true });
  const other = await runSeed(7, { keepsTrace: true });
  expect(one.trace.length).toBeGreaterThan(20);
  expect(other).toEqual(one);
});

test('a fault that is left out does not happen, and the world goes on without it', async () => {
  const whole = await runSeed(9);
  const [first = ''] = whole.plan;
  expect(first).not.toBe('');
  const without = await runSeed(9, { dropped: new Set([first]) });
  expect(without.plan).not.toContain(first);
  expect(without.violations).toEqual([]);
});

import { expect, test } from 'vitest';
import { hunt, MUTANTS } from '../../simulate/mutants/hunt.ts';
import { shrink } from '../../simulate/shrink.ts';
import { PROTOCOL } from '../../simulate/protocol.ts';

/** Some harms need a rare meeting of faults. */
const SEEDS = 3_000;

test.each(MUTANTS.map((mutant) => ({ ...mutant })))(
  'a protocol that would $name is found out',
  async (mutant) => {
    expect(await hunt(mutant, SEEDS)).not.toBeNull();
  },
);

test('each mutation has a name of its own', () => {
  expect(new Set(MUTANTS.map((mutant) => mutant.name)).size).toBe(MUTANTS.length);
});

test('a seed that fails is made smaller and still fails for the same reason', async () => {
  const mutant = MUTANTS.find((one) => one.name === 'retry a leased recipient');
  if (mutant === undefined) throw new Error('The mutant is gone.');
  const kill = await hunt(mutant, SEEDS);
  const small = await shrink(kill?.seed ?? 0, mutant.mutate(PROTOCOL));
  const invariantOf = (violation = ''): string => violation.split(':')[0] ?? '';
  expect(invariantOf(small.violations[0])).toBe(invariantOf(kill?.violation));
  expect(small.violations).not.toEqual([]);
  expect(small.plan.length).toBeLessThan(small.planSize);
  expect(small.trace.length).toBeGreaterThan(0);
});

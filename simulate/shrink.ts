import type { Protocol } from './protocol.ts';
import { runSeed, type SeedResult } from './run-seed.ts';

/** A failing seed with the faults and moves that it does not need left out. */
export interface Shrunk extends SeedResult {
  /** How many faults and moves there were at first. */
  readonly planSize: number;
}

/** How many runs are spent on making one failure smaller. */
const RUNS_MAX = 400;

/**
 * Leaves out faults and moves, first many at once and then one by one, as long as the seed still fails the same
 * invariant. A draw does not depend on the others, so what is left happens as before.
 */
export async function shrink(seed: number, protocol?: Protocol): Promise<Shrunk> {
  const given = protocol === undefined ? {} : { protocol };
  const first = await runSeed(seed, given);
  const invariant = invariantOf(first);
  const dropped = new Set<string>();
  let plan = [...first.plan];
  let runs = 0;
  for (let size = Math.ceil(plan.length / 2); size >= 1 && runs < RUNS_MAX; size = Math.floor(size / 2)) {
    for (let start = 0; start < plan.length && runs < RUNS_MAX;) {
      const without = new Set([...dropped, ...plan.slice(start, start + size)]);
      const result = await runSeed(seed, { ...given, dropped: without });
      runs += 1;
      if (invariantOf(result) === invariant && invariant !== null) {
        for (const name of plan.slice(start, start + size)) dropped.add(name);
        plan = result.plan.filter((name) => !dropped.has(name));
      } else {
        start += size;
      }
    }
  }
  const last = await runSeed(seed, { ...given, dropped, keepsTrace: true });
  return { ...last, planSize: first.plan.length };
}

function invariantOf(result: SeedResult): string | null {
  return result.violations[0]?.split(':')[0] ?? null;
}

import { PROTOCOL } from '../protocol.ts';
import { runSeed } from '../run-seed.ts';
import { CARRIER_MUTANTS } from './carrier-mutants.ts';
import { LANE_MUTANTS } from './lane-mutants.ts';
import { LEDGER_MUTANTS } from './ledger-mutants.ts';
import { LIMIT_MUTANTS } from './limit-mutants.ts';
import { LIST_MUTANTS } from './list-mutants.ts';
import type { Mutant } from './mutant.ts';
import { RETRY_MUTANTS } from './retry-mutants.ts';

/** Every broken protocol. */
export const MUTANTS: readonly Mutant[] = [
  ...LEDGER_MUTANTS,
  ...LANE_MUTANTS,
  ...CARRIER_MUTANTS,
  ...RETRY_MUTANTS,
  ...LIST_MUTANTS,
  ...LIMIT_MUTANTS,
];

/** The seed at which a mutant was found out, and by what; null when it lived through all of them. */
export type Kill = { readonly seed: number; readonly violation: string } | null;

/** Lets a mutant live through seeds 1 to `seedsMax` until one finds it out that holds without it. */
export async function hunt(mutant: Mutant, seedsMax: number): Promise<Kill> {
  const protocol = mutant.mutate(PROTOCOL);
  for (let seed = 1; seed <= seedsMax; seed += 1) {
    const { violations } = await runSeed(seed, { protocol });
    const [violation] = violations;
    if (violation === undefined) continue;
    const sound = await runSeed(seed);
    if (sound.violations.length > 0) throw new Error(`Seed ${seed} fails without a mutation, too.`);
    return { seed, violation };
  }
  return null;
}

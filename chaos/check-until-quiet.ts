import { setTimeout as delay } from 'node:timers/promises';
import type { Invariant } from './invariant.ts';

/** Longer than a worker may take to find out what has become of a text. */
const QUIET_MS_MAX = 2 * 60_000;

/**
 * Checks again while something does not hold. Whoever is tried again by himself stays what he was until that attempt has
 * a result, so now and then the ledger knows of a text before the database does. Only what lasts is broken.
 */
export async function checkUntilQuiet(check: () => Promise<Invariant[]>): Promise<Invariant[]> {
  const startedAt = performance.now();
  for (;;) {
    const invariants = await check();
    const isOver = performance.now() - startedAt > QUIET_MS_MAX;
    if (isOver || invariants.every(({ holds }) => holds)) return invariants;
    await delay(1_000);
  }
}

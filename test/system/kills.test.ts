import { expect, it } from 'vitest';
import { chaosOfKills } from '../../chaos/kills.ts';

/** Starts of killed processes, and texts that are tried again a little later. */
const TIMEOUT_MS = 600_000;
const SEED = 7;

it(
  'keeps every promise while processes are killed and the carrier misbehaves',
  async () => {
    const lines: string[] = [];
    const invariants = await chaosOfKills({
      kills: 4,
      // The second is Temporal, with its data.
      first: ['standstill', 'PostgreSQL', 'worker'],
      // So many that they are still being texted when processes are killed.
      recipients: 1_200,
      seed: SEED,
      ledgerUrl: null,
      say: (line) => lines.push(line),
    });
    expect(invariants).toHaveLength(9);
    for (const { name, holds, figures } of invariants) {
      expect(holds, `${name}: ${figures}. ${lines.join(' ')}`).toBe(true);
    }
  },
  TIMEOUT_MS,
);

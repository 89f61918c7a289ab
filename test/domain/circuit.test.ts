import { expect, test } from 'vitest';
import { CIRCUIT_OPEN_MS_MAX, judgeCircuit } from '../../domain/dispatch/circuit.ts';

const open = { openMs: 8_000, probeInMs: 5_000, isProbing: false };

test.each([
  ['closed', { ...open, openMs: null }, { kind: 'closed' }],
  ['open', open, { kind: 'wait', delayMs: 5_000 }],
  ['due for a probe', { ...open, probeInMs: 0 }, { kind: 'probe' }],
  ['being probed', { ...open, probeInMs: 60_000, isProbing: true }, { kind: 'wait', delayMs: 1_000 }],
  ['open for long', { ...open, openMs: CIRCUIT_OPEN_MS_MAX }, { kind: 'suspend' }],
  // Whoever resumes finds out by a probe, and is suspended again only once that has failed.
  ['open for long, due for a probe', { openMs: 1e9, probeInMs: -1, isProbing: false }, { kind: 'probe' }],
  [
    'open for long, being probed',
    { openMs: 1e9, probeInMs: 500, isProbing: true },
    { kind: 'wait', delayMs: 500 },
  ],
] as const)('a circuit that is %s', (_what, state, verdict) => {
  expect(judgeCircuit(state)).toEqual(verdict);
});

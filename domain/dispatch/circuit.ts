/**
 * When a sender or a carrier account is given a rest. A request whose outcome is unknown can never be repeated, so a
 * carrier in trouble is left alone after few of them, and tried with single texts until one is taken.
 */

/** So many requests that fail one after the other, over all workers and none taken in between, open the circuit. */
export const FAILURES_MIN = 5;
/** Machine time until the first probe; doubled with each probe that fails. */
export const PROBE_DELAY_MS = 5_000;
export const PROBE_DELAY_MS_MAX = 60_000;
/** A probe that nobody has heard of for so long is as good as failed; longer than a lease and its request may take. */
export const PROBE_MS_MAX = 60_000;
/** A circuit that was open for so long suspends the campaigns that run into it. */
export const CIRCUIT_OPEN_MS_MAX = 10 * 60_000;

/** A circuit as it is written down. */
export interface Circuit {
  /** Requests that have failed since one was taken. */
  readonly failures: number;
  /** How often it was left alone since it opened. */
  readonly trips: number;
  readonly isOpen: boolean;
  /** Somebody has its probe, or had it when he was last heard of. */
  readonly isProbing: boolean;
}

/** What failures make of a circuit; nobody probes it any more. */
export interface TrippedCircuit {
  readonly failures: number;
  readonly trips: number;
  readonly opens: boolean;
  /** Machine milliseconds until the next probe; null leaves it when it was. */
  readonly probeDelayMs: number | null;
}

/** A circuit that was never tripped. */
export const CIRCUIT_CLOSED = { failures: 0, trips: 0 } as const;

/** Requests have failed one after the other. */
export function afterFailures(circuit: Circuit, failures: number): TrippedCircuit {
  const sum = circuit.failures + failures;
  if (!circuit.isOpen && sum >= FAILURES_MIN) {
    return { failures: sum, trips: 1, opens: true, probeDelayMs: PROBE_DELAY_MS };
  }
  if (!circuit.isProbing) return { failures: sum, trips: circuit.trips, opens: false, probeDelayMs: null };
  const probeDelayMs = Math.min(PROBE_DELAY_MS_MAX, PROBE_DELAY_MS * 2 ** circuit.trips);
  return { failures: sum, trips: circuit.trips + 1, opens: false, probeDelayMs };
}

/** What is known of the circuits that a lease would use; in machine milliseconds. */
export interface CircuitState {
  /** How long the longest open one has been open; null when all are closed. */
  readonly openMs: number | null;
  /** Until the next probe. */
  readonly probeInMs: number;
  /** A probe is under way. */
  readonly isProbing: boolean;
}

/** Send as usual, send one text as a probe, wait, or give up. */
export type CircuitVerdict =
  { readonly kind: 'closed' | 'probe' | 'suspend' } | { readonly kind: 'wait'; readonly delayMs: number };

/** What a lease may do in this state. */
export function judgeCircuit({ openMs, probeInMs, isProbing }: CircuitState): CircuitVerdict {
  if (openMs === null) return { kind: 'closed' };
  if (probeInMs <= 0) return { kind: 'probe' };
  if (!isProbing && openMs >= CIRCUIT_OPEN_MS_MAX) return { kind: 'suspend' };
  // What the probe learns is worth asking for soon.
  return { kind: 'wait', delayMs: Math.ceil(isProbing ? Math.min(probeInMs, 1_000) : probeInMs) };
}

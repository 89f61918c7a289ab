import { afterFailures, CIRCUIT_CLOSED, type CircuitState, PROBE_MS_MAX } from './circuit.ts';
import type { MemoryLedger } from './memory-ledger.ts';
import type { MemoryCircuit } from './memory-rows.ts';

/** Counts requests that failed one after the other. Returns whether a circuit is open now, and those that open. */
export function noteMemoryFailures(
  ledger: MemoryLedger,
  scopeIds: readonly string[],
  failures: number,
): { readonly isOpen: boolean; readonly opened: readonly string[] } {
  const now = ledger.machineNow();
  const opened: string[] = [];
  let isOpen = false;
  for (const scopeId of scopeIds) {
    const circuit = circuitOf(ledger, scopeId);
    const after = afterFailures(
      {
        failures: circuit.failures,
        trips: circuit.trips,
        isOpen: circuit.openedAt !== null,
        isProbing: circuit.probingUntil !== null,
      },
      failures,
    );
    circuit.failures = after.failures;
    circuit.trips = after.trips;
    if (after.opens) {
      circuit.openedAt = now;
      opened.push(scopeId);
    }
    if (after.probeDelayMs !== null) circuit.probeAfter = now + after.probeDelayMs;
    circuit.probingUntil = null;
    isOpen ||= circuit.openedAt !== null;
  }
  return { isOpen, opened };
}

/** The carrier has taken a text: the scopes' circuits are closed. */
export function noteMemoryTaken(ledger: MemoryLedger, scopeIds: readonly string[]): void {
  for (const scopeId of scopeIds) {
    Object.assign(circuitOf(ledger, scopeId), { ...CIRCUIT_CLOSED, openedAt: null, probingUntil: null });
  }
}

/** What a lease over these scopes goes by. */
export function circuitStateOf(ledger: MemoryLedger, scopeIds: readonly string[]): CircuitState {
  const now = ledger.machineNow();
  const open = scopeIds.map((id) => circuitOf(ledger, id)).filter(({ openedAt }) => openedAt !== null);
  if (open.length === 0) return { openMs: null, probeInMs: 0, isProbing: false };
  const probeAt = open.flatMap(({ probeAfter, probingUntil }) => [probeAfter, probingUntil ?? probeAfter]);
  return {
    openMs: now - Math.min(...open.map(({ openedAt }) => openedAt ?? now)),
    probeInMs: Math.max(...probeAt) - now,
    isProbing: open.some(({ probingUntil }) => (probingUntil ?? 0) > now),
  };
}

/** Takes the one probe that open circuits allow. */
export function takeMemoryProbe(ledger: MemoryLedger, scopeIds: readonly string[]): void {
  for (const scopeId of scopeIds) {
    const circuit = circuitOf(ledger, scopeId);
    if (circuit.openedAt !== null) circuit.probingUntil = ledger.machineNow() + PROBE_MS_MAX;
  }
}

function circuitOf(ledger: MemoryLedger, scopeId: string): MemoryCircuit {
  const known = ledger.circuits.get(scopeId);
  if (known !== undefined) return known;
  const fresh: MemoryCircuit = { ...CIRCUIT_CLOSED, openedAt: null, probeAfter: 0, probingUntil: null };
  ledger.circuits.set(scopeId, fresh);
  return fresh;
}

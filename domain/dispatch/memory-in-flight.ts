import { type MemoryLedger, messageOf, scopesOfMessage } from './memory-ledger.ts';
import type { MemoryLease } from './memory-rows.ts';
import { STRAGGLING_MS_MAX } from './stragglers.ts';

/**
 * How many texts behind the gate of a scope may still be on their way: of open leases whoever has no result, and whoever
 * was given up with a lane that may still post.
 */
export function memoryInFlight(ledger: MemoryLedger, scope: string): number {
  let people = 0;
  for (const lease of ledger.leases.values()) {
    if (scopesOfMessage(ledger, messageOf(ledger, lease.messageId)).includes(scope)) {
      people += peopleOnTheirWay(ledger, lease);
    }
  }
  return people;
}

function peopleOnTheirWay(ledger: MemoryLedger, lease: MemoryLease): number {
  const { entries } = messageOf(ledger, lease.messageId);
  return lease.people.filter(({ recipient, attempt }) => {
    const known = entries.get(recipient)?.attempts.find((one) => one.attempt === attempt);
    if (known === undefined) return lease.isOpen;
    const lostMs = ledger.machineNow() - known.recordedAt;
    return known.cause === 'worker_lost' && known.resolved === null && lostMs <= STRAGGLING_MS_MAX;
  }).length;
}

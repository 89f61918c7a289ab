import type { LeasedRecipient } from '../domain/dispatch/dispatch-store.ts';
import { entryOf, type MemoryLedger, messageOf } from '../domain/dispatch/memory-ledger.ts';
import type { MemoryAttempt, MemoryMessage } from '../domain/dispatch/memory-rows.ts';

/**
 * Micro-dollars of all texts that the carrier has taken or may have, each at its own cost, whatever the ledger has made
 * of it: of one campaign, or of all.
 */
export function costUsed(ledger: MemoryLedger, campaignId?: string): number {
  let used = 0;
  for (const lease of ledger.leases.values()) {
    const message = messageOf(ledger, lease.messageId);
    if (campaignId !== undefined && message.campaignId !== campaignId) continue;
    for (const person of lease.people) if (mayCost(message, person)) used += person.costMicroUsd;
  }
  return used;
}

function mayCost(message: MemoryMessage, { recipient, attempt }: LeasedRecipient): boolean {
  const known = entryOf(message, recipient).attempts.find((one) => one.attempt === attempt);
  if (known === undefined) return true;
  return isTaken(known) && known.final?.status !== 'failed';
}

/** What the counters of a message have to tell of its texts: their segments and what they were estimated at. */
export function textsOf(
  ledger: MemoryLedger,
  message: MemoryMessage,
): { readonly segments: number; readonly microUsd: number } {
  const leased = [...ledger.leases.values()]
    .filter(({ messageId }) => messageId === message.id)
    .flatMap(({ people }) => people)
    .filter(({ recipient, attempt }) =>
      entryOf(message, recipient).attempts.some((one) => one.attempt === attempt && isTaken(one)),
    );
  return {
    segments: leased.reduce((sum, person) => sum + person.segments, 0),
    microUsd: leased.reduce((sum, person) => sum + person.costMicroUsd, 0),
  };
}

function isTaken({ result }: MemoryAttempt): boolean {
  return result === 'accepted' || result === 'unknown';
}

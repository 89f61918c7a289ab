import type { Lease } from './dispatch-store.ts';
import { grantQuotas, quotasOf } from './memory-claims.ts';
import type { MemoryLedger } from './memory-ledger.ts';
import type { MemorySender } from './memory-rows.ts';
import { requestIntervalMs } from './pace.ts';
import { quotaIntervalMs } from './quota.ts';

/** What leases were granted of what is shared; it begins at `startAt`, in machine time, or at once where that is 0. */
interface MemoryGrants extends Pick<Lease, 'segmentIntervalMs' | 'requestIntervalMs' | 'quotaClaims'> {
  readonly startAt: number;
}

/** Grants leases their requests, the sender's pace and its quotas. */
export function grantMemoryLeases(
  ledger: MemoryLedger,
  sender: MemorySender,
  { requests, units }: { readonly requests: number; readonly units: number },
  at: number,
): MemoryGrants {
  const requestMs = requestIntervalMs(ledger.carrier.limit);
  const segmentMs = sender.pace === null ? 0 : 1_000 / sender.pace;
  const requestsAt = Math.max(ledger.carrier.nextRequestAt, ledger.carrier.pausedUntil, ledger.machineNow());
  if (requestMs > 0) ledger.carrier.nextRequestAt = requestsAt + requestMs * requests;
  const paceAt = Math.max(sender.nextFreeAt, sender.slowedUntil, ledger.machineNow());
  if (segmentMs > 0) sender.nextFreeAt = paceAt + segmentMs * units;
  const shared = grantQuotas(ledger, sender, units, at);
  return {
    segmentIntervalMs: Math.max(segmentMs, shared.intervalMs),
    requestIntervalMs: requestMs,
    quotaClaims: shared.claims,
    startAt: Math.max(requestMs > 0 ? requestsAt : 0, segmentMs > 0 ? paceAt : 0, shared.startAt),
  };
}

/** Grants what is left of a lease its pace once more; units of a day stay counted as they were. */
export function grantMemoryAgain(
  ledger: MemoryLedger,
  { senderId }: Lease,
  left: { readonly requests: number; readonly units: number },
): number {
  const sender = ledger.senders.get(senderId);
  if (sender === undefined) throw new Error('The sender of a lease is gone.');
  const now = ledger.machineNow();
  let startAt = now;
  for (const one of quotasOf(ledger, sender)) {
    const intervalMs = quotaIntervalMs(one.quota);
    if (intervalMs === 0) continue;
    const from = Math.max(one.nextFreeAt, now);
    one.nextFreeAt = from + left.units * intervalMs;
    startAt = Math.max(startAt, from);
  }
  const requestMs = requestIntervalMs(ledger.carrier.limit);
  if (requestMs > 0) {
    const from = Math.max(ledger.carrier.nextRequestAt, ledger.carrier.pausedUntil, now);
    ledger.carrier.nextRequestAt = from + requestMs * left.requests;
    startAt = Math.max(startAt, from);
  }
  if (sender.pace !== null) {
    const from = Math.max(sender.nextFreeAt, sender.slowedUntil, now);
    sender.nextFreeAt = from + (1_000 / sender.pace) * left.units;
    startAt = Math.max(startAt, from);
  }
  return startAt - now;
}

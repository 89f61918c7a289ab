import type { MemoryLedger } from './memory-ledger.ts';
import { type PermitStore, sharePermits } from './permits.ts';

/** A worker's permits in memory, by the rules of PostgreSQL's. */
export function createMemoryPermits(ledger: MemoryLedger, workerId: string): PermitStore {
  const { atOnceMax, permits } = ledger.carrier;
  return {
    claim: (_carrierAccountId, claim) => {
      if (atOnceMax === 0) return Promise.resolve(Number.POSITIVE_INFINITY);
      const now = ledger.machineNow();
      for (const [id, { expiresAt }] of permits) if (expiresAt <= now) permits.delete(id);
      const others = [...permits].filter(([id]) => id !== workerId);
      const given = sharePermits(claim, {
        atOnceMax,
        others: others.length,
        taken: others.reduce((sum, [, one]) => sum + one.permits, 0),
        own: permits.get(workerId)?.permits ?? 0,
      });
      permits.set(workerId, { permits: given, expiresAt: now + claim.ttlMs });
      return Promise.resolve(given);
    },
    release: () => {
      permits.delete(workerId);
      return Promise.resolve();
    },
  };
}

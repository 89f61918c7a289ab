import { sql } from 'kysely';
import type { DispatchStore, Lease } from '../../domain/dispatch/dispatch-store.ts';
import { pauseCarrierAccount } from '../carrier-accounts.ts';
import { withAccount } from '../database.ts';
import { enterLane } from './enter-lane.ts';
import { grantAgain } from './grant-again.ts';
import { openLeases, type OpenLeasesDeps } from './open-leases.ts';
import { recordAttempts } from './record-attempts.ts';
import { recordTogether } from './record-together.ts';

/** The ledger in PostgreSQL. */
export function createPostgresDispatchStore(deps: OpenLeasesDeps): DispatchStore {
  const recording = { ...deps, overtaken: new WeakSet<Lease>() };
  const record = recordTogether((records) => recordAttempts(recording, records));
  return {
    enterLane: (lane, askedAt) => enterLane(deps.db, lane, askedAt),
    openLeases: (lane, fence, at, slots) => openLeases(deps, lane, fence, at, slots),
    record: (lease, results, retryAt) => record({ lease, results, retryAt }),
    grantAgain: (lease, left) => grantAgain(deps.db, lease, left),
    slowDown: (lease, delayMs) =>
      withAccount(deps.db, lease.accountId, async (trx) => {
        // In the order in which leases lock them.
        await pauseCarrierAccount(trx, lease.carrierAccountId, delayMs);
        await sql`
          update sender_paces set slowed_until =
            greatest(slowed_until, clock_timestamp() + ${delayMs} * interval '1 millisecond')
          where sender_id = ${lease.senderId} and kind = ${lease.kind}`.execute(trx);
      }),
  };
}

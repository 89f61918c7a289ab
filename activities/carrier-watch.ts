import { raiseCarrierTrouble } from '../db/carrier-alerts.ts';
import { noteFailures, noteTaken } from '../db/circuits.ts';
import { type Db, withAccount } from '../db/database.ts';
import { listenToCarriers } from '../domain/dispatch/carrier-watch.ts';
import type { DispatchStore } from '../domain/dispatch/dispatch-store.ts';

/** What watching carriers needs. */
export interface CarrierWatchDeps {
  readonly db: Db;
  /** Monotonic machine milliseconds. */
  readonly now: () => number;
}

/** A store that also writes down for all workers how carriers answer, and raises an alert when one is in trouble. */
export function watchCarriers(store: DispatchStore, { db, now }: CarrierWatchDeps): DispatchStore {
  return listenToCarriers(store, {
    now,
    taken: (scopeIds) => noteTaken(db, scopeIds),
    failed: (scopeIds, failures) => noteFailures(db, scopeIds, failures),
    tell: (lease, trouble) =>
      withAccount(db, lease.accountId, (trx) => raiseCarrierTrouble(trx, lease, trouble)),
  });
}

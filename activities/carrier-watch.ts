import { raiseCarrierTrouble } from '../db/carrier-alerts.ts';
import { noteFailures, noteTaken } from '../db/circuits.ts';
import { type Db, withAccount } from '../db/database.ts';
import { type CarrierTrouble, troubleOf } from '../domain/carrier-trouble.ts';
import type { AttemptResult, DispatchStore, Lease } from '../domain/dispatch/dispatch-store.ts';

/** What watching carriers needs. */
export interface CarrierWatchDeps {
  readonly db: Db;
  /** Monotonic machine milliseconds. */
  readonly now: () => number;
}

/** What this worker has last told of a carrier account and sender. */
interface Told {
  failedSince: boolean;
  takenAt: number;
  alertAt: number;
}

/** That texts are taken is written this often while nothing has failed. */
const TAKEN_INTERVAL_MS = 2_000;
/** A trouble that goes on is counted this often, whatever the pace of the campaigns. */
const TELL_INTERVAL_MS = 10_000;

/**
 * A store that also listens to how carriers answer, and writes that down for all workers: requests that fail one after
 * the other open the circuits of their sender and carrier account and raise an alert; a text that is taken closes
 * them. None of it holds up or fails what is recorded.
 */
export function watchCarriers(store: DispatchStore, deps: CarrierWatchDeps): DispatchStore {
  const toldOf = new Map<string, Told>();
  return {
    ...store,
    record: async (lease, results, retryAt) => {
      await store.record(lease, results, retryAt);
      const key = `${lease.accountId} ${lease.senderId} ${lease.carrierAccountId}`;
      const never = Number.NEGATIVE_INFINITY;
      const told = toldOf.get(key) ?? { failedSince: false, takenAt: never, alertAt: never };
      toldOf.set(key, told);
      // What cannot be written now is seen again with the next answers.
      await observe(deps, told, lease, results).catch(() => undefined);
    },
  };
}

async function observe(
  deps: CarrierWatchDeps,
  told: Told,
  lease: Lease,
  results: readonly AttemptResult[],
): Promise<void> {
  let trouble: CarrierTrouble | null = null;
  let failures = 0;
  let isTaken = false;
  for (const result of firstOfEachRequest(results)) {
    const found = troubleOf(result);
    if (found !== null) {
      failures += 1;
      trouble = found;
    } else if (result.result === 'accepted') {
      failures = 0;
      trouble = null;
      isTaken = true;
    }
  }
  const scopeIds = [lease.carrierAccountId, lease.senderId];
  if (isTaken && (lease.isProbe || told.failedSince || deps.now() - told.takenAt >= TAKEN_INTERVAL_MS)) {
    await tellTaken(deps, told, scopeIds);
  }
  if (trouble === null) return;
  told.failedSince = true;
  const isOpen = await noteFailures(deps.db, scopeIds, failures);
  if (!isOpen || deps.now() - told.alertAt < TELL_INTERVAL_MS) return;
  told.alertAt = deps.now();
  const seen = trouble;
  await withAccount(deps.db, lease.accountId, (trx) => raiseCarrierTrouble(trx, lease, seen));
}

/**
 * Counts as told before it is written, so that what is recorded meanwhile, by lanes that would wait for the same rows,
 * does not tell it again.
 */
async function tellTaken(deps: CarrierWatchDeps, told: Told, scopeIds: readonly string[]): Promise<void> {
  const { failedSince, takenAt } = told;
  told.failedSince = false;
  told.takenAt = deps.now();
  try {
    await noteTaken(deps.db, scopeIds);
  } catch (error) {
    told.failedSince ||= failedSince;
    told.takenAt = takenAt;
    throw error;
  }
}

/** A request in bulk form fails or is taken as a whole. */
function firstOfEachRequest(results: readonly AttemptResult[]): AttemptResult[] {
  const requests = new Map<number, AttemptResult>();
  for (const result of results) {
    const known = requests.get(result.request);
    if (known === undefined || result.result === 'accepted') requests.set(result.request, result);
  }
  return [...requests.values()];
}

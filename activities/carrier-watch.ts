import { raiseCarrierTrouble, resolveCarrierTrouble } from '../db/carrier-alerts.ts';
import { type Db, type Trx, withAccount } from '../db/database.ts';
import { type CarrierTrouble, FAILURES_MIN, troubleOf } from '../domain/carrier-trouble.ts';
import type { AttemptResult, DispatchStore, Lease } from '../domain/dispatch/dispatch-store.ts';

/** What watching carriers needs. */
export interface CarrierWatchDeps {
  readonly db: Db;
  /** Monotonic machine milliseconds. */
  readonly now: () => number;
  /** How long all has to be well before a trouble counts as over, so that a carrier that limps is one alert. */
  readonly quietMs?: number;
}

/** What this worker has seen of a carrier account for an account. */
interface Seen {
  /** Requests that failed, one after the other. */
  failures: number;
  failedAt: number;
  toldAt: number;
  isClearing: boolean;
}

const QUIET_MS = 20_000;
/** A trouble that goes on is counted this often, whatever the pace of the campaigns. */
const TELL_INTERVAL_MS = 10_000;

/**
 * A store that also listens to how carriers answer: requests that fail one after the other raise an alert, and the
 * first text that is taken again resolves it a little later. Alerts never hold up or fail what is recorded.
 */
export function watchCarriers(store: DispatchStore, deps: CarrierWatchDeps): DispatchStore {
  const seenOf = new Map<string, Seen>();
  return {
    ...store,
    record: async (lease, results, retryAt) => {
      await store.record(lease, results, retryAt);
      const key = `${lease.accountId} ${lease.carrierAccountId}`;
      const seen = seenOf.get(key) ?? newlySeen();
      seenOf.set(key, seen);
      await observe(deps, seen, lease, results);
      if (seen.failures === 0 && !seen.isClearing) seenOf.delete(key);
    },
  };
}

async function observe(
  deps: CarrierWatchDeps,
  seen: Seen,
  lease: Lease,
  results: readonly AttemptResult[],
): Promise<void> {
  let trouble: CarrierTrouble | null = null;
  for (const result of firstOfEachRequest(results)) {
    const found = troubleOf(result);
    if (found !== null) {
      seen.failures += 1;
      seen.failedAt = deps.now();
      trouble = found;
    } else if (result.result === 'accepted') {
      seen.failures = 0;
      trouble = null;
      if (!seen.isClearing) clearIn(deps.quietMs ?? QUIET_MS, deps, seen, lease);
    }
  }
  if (trouble === null || seen.failures < FAILURES_MIN) return;
  if (deps.now() - seen.toldAt < TELL_INTERVAL_MS) return;
  seen.toldAt = deps.now();
  const told = trouble;
  await write(deps, lease, (trx) => raiseCarrierTrouble(trx, lease, told));
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

/** Once for all texts that are taken until then; should this worker end before, the next text that is taken does it. */
function clearIn(delayMs: number, deps: CarrierWatchDeps, seen: Seen, lease: Lease): void {
  seen.isClearing = true;
  const quietMs = deps.quietMs ?? QUIET_MS;
  const timer = setTimeout(() => {
    seen.isClearing = false;
    // While requests fail again, the next text that is taken begins anew.
    if (seen.failures > 0) return;
    const restMs = seen.failedAt + quietMs - deps.now();
    if (restMs > 0) clearIn(restMs, deps, seen, lease);
    else void write(deps, lease, (trx) => resolveCarrierTrouble(trx, lease, quietMs));
  }, delayMs);
  timer.unref();
}

function newlySeen(): Seen {
  const never = Number.NEGATIVE_INFINITY;
  return { failures: 0, failedAt: never, toldAt: never, isClearing: false };
}

/** What cannot be written now is seen again with the next answers. */
async function write(deps: CarrierWatchDeps, lease: Lease, work: (trx: Trx) => Promise<void>): Promise<void> {
  await withAccount(deps.db, lease.accountId, work).catch(() => undefined);
}

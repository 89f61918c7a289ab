import { type CarrierTrouble, troubleOf } from '../carrier-trouble.ts';
import type { AttemptResult, DispatchStore, Lease } from './dispatch-store.ts';

/** Where it is written down, for all workers, how carriers answer. */
export interface CarrierNotes {
  /** Monotonic machine milliseconds. */
  readonly now: () => number;
  /** A text was taken: the circuits of these scopes are closed. */
  readonly taken: (scopeIds: readonly string[]) => Promise<void>;
  /** Requests failed one after the other. Resolves with whether one of the circuits is open now. */
  readonly failed: (scopeIds: readonly string[], failures: number) => Promise<boolean>;
  /** There is trouble with a circuit open; told now and then. */
  readonly tell: (lease: Lease, trouble: CarrierTrouble) => Promise<void>;
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
 * A store that also listens to how carriers answer: requests that fail one after the other open the circuits of their
 * sender and carrier account, a text that is taken closes them. None of it fails what is recorded.
 */
export function listenToCarriers(store: DispatchStore, notes: CarrierNotes): DispatchStore {
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
      await observe(notes, told, lease, results).catch(() => undefined);
    },
  };
}

async function observe(
  notes: CarrierNotes,
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
  if (isTaken && (lease.isProbe || told.failedSince || notes.now() - told.takenAt >= TAKEN_INTERVAL_MS)) {
    await tellTaken(notes, told, scopeIds);
  }
  if (trouble === null) return;
  told.failedSince = true;
  const isOpen = await notes.failed(scopeIds, failures);
  if (!isOpen || notes.now() - told.alertAt < TELL_INTERVAL_MS) return;
  told.alertAt = notes.now();
  await notes.tell(lease, trouble);
}

/**
 * Counts as told before it is written, so that what is recorded meanwhile, by lanes that would wait for the same rows,
 * does not tell it again.
 */
async function tellTaken(notes: CarrierNotes, told: Told, scopeIds: readonly string[]): Promise<void> {
  const { failedSince, takenAt } = told;
  told.failedSince = false;
  told.takenAt = notes.now();
  try {
    await notes.taken(scopeIds);
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

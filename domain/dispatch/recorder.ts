import type { CrashHook } from './crash-points.ts';
import type { AttemptResult, DispatchStore, Lease } from './dispatch-store.ts';

/** Counts of what a lane did. */
export interface Tally {
  accepted: number;
  rejected: number;
  not_accepted: number;
  unknown: number;
  skipped: number;
}

/** Takes a lease's results as they come and writes them in batches. */
export interface Recorder {
  /** `retryAt` is the campaign time from which a recipient who was certainly not accepted may be tried again. */
  readonly add: (results: readonly AttemptResult[], retryAt: number) => void;
  /** Resolves when everything added has been written; rejects if a write failed. */
  readonly finished: () => Promise<void>;
}

/**
 * While one batch is being written the next gathers, so the size of a batch follows the load by itself and
 * a crash leaves open no more than what was under way.
 */
export function createRecorder(
  deps: { readonly store: DispatchStore; readonly crash: CrashHook },
  lease: Lease,
  tally: Tally,
): Recorder {
  let waiting: AttemptResult[] = [];
  let retryAtMax = 0;
  let writing: Promise<void> | null = null;

  const writeAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting;
      const retryAt = retryAtMax;
      waiting = [];
      try {
        await deps.store.record(lease, batch, retryAt);
      } catch (error) {
        waiting.unshift(...batch);
        throw error;
      }
      deps.crash('record.committed');
      for (const result of batch) tally[result.result] += 1;
    }
  };

  return {
    add: (results, retryAt) => {
      waiting.push(...results);
      retryAtMax = Math.max(retryAtMax, retryAt);
      if (writing === null) {
        writing = Promise.resolve()
          .then(writeAll)
          .finally(() => {
            writing = null;
          });
        // A failed write surfaces in `finished`; until then it must not count as unhandled.
        writing.catch(() => undefined);
      }
    },
    finished: async () => {
      await writing?.catch(() => undefined);
      // What a failed write left behind is tried once more; each result counts once. Its error reaches the lane.
      await writeAll();
    },
  };
}

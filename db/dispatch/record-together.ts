import { countFitting } from '../../domain/dispatch/count-fitting.ts';
import type { Lease } from '../../domain/dispatch/dispatch-store.ts';
import { isAcceptedAtFirst } from './record-accepted.ts';
import type { LeaseResults } from './record-attempts.ts';

/** As many results are written together; more would make others wait for one transaction. */
const RESULTS_MAX = 2_048;

interface Waiting extends LeaseResults {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Lets results of several leases of a message share a transaction: while one write is under way the next ones gather,
 * so that the disk is waited for once for all of them. Only who was accepted at the first attempt is written so; for
 * everybody else money, quotas and later waves are locked too, each lease by itself.
 */
export function recordTogether(
  write: (records: readonly LeaseResults[]) => Promise<void>,
): (record: LeaseResults) => Promise<void> {
  const queues = new Map<string, Waiting[]>();

  const writeAll = async (key: string, queue: Waiting[]): Promise<void> => {
    while (queue.length > 0) await writeSome(queue.splice(0, countOfNext(queue)));
    queues.delete(key);
  };

  const writeSome = async (records: readonly Waiting[]): Promise<void> => {
    try {
      await write(records);
      for (const record of records) record.resolve();
    } catch (error) {
      const [only, ...others] = records;
      if (others.length === 0) only?.reject(error);
      // What is wrong with one must not keep the others from being written.
      else for (const record of records) await writeSome([record]);
    }
  };

  return async (record) => {
    if (!record.results.every(isAcceptedAtFirst)) return write([record]);
    const key = keyOf(record.lease);
    const queue = queues.get(key);
    return new Promise((resolve, reject) => {
      const waiting = { ...record, resolve, reject };
      if (queue !== undefined) {
        queue.push(waiting);
        return;
      }
      const fresh = [waiting];
      queues.set(key, fresh);
      void writeAll(key, fresh);
    });
  };
}

function keyOf({ accountId, month, messageKey }: Lease): string {
  return `${accountId} ${month} ${messageKey}`;
}

/** One at least, however many its results are. */
function countOfNext(queue: readonly LeaseResults[]): number {
  return Math.max(
    1,
    countFitting(queue, RESULTS_MAX, (record) => record.results.length),
  );
}

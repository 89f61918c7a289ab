import { setTimeout as delay } from 'node:timers/promises';

/** Takes items one by one and hands them on in batches. */
export interface MicroBatch<Item, Result> {
  /** Resolves with what became of this item, once its batch is done. */
  readonly add: (item: Item) => Promise<Result>;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/** The most items of one batch: small enough that some are read and checked while others are in the database. */
const ITEMS_MAX = 64;
/** A batch costs a few round trips whatever its size: so long after one has begun the next gathers at least. */
const SPACING_MS = 3;
const UNDER_WAY_MAX = 4;

/**
 * While four batches are under way, and for three milliseconds after the last has begun, the next gathers, so a burst shares
 * its round trips and commits, and an item that comes alone waits for nothing but its own. Batches may overtake each other.
 * `apply` answers for each item in order; when it fails, it fails for all of them.
 */
export function createMicroBatch<Item, Result>(
  apply: (items: readonly Item[]) => Promise<readonly Result[]>,
): MicroBatch<Item, Result> {
  let waiting: Waiting<Item, Result>[] = [];
  let underWay = 0;
  /** The next batch is about to begin. */
  let isStarting = false;
  let begunAt = Number.NEGATIVE_INFINITY;

  const run = async (): Promise<void> => {
    const earlyMs = begunAt + SPACING_MS - performance.now();
    if (earlyMs > 0) await delay(earlyMs);
    begunAt = performance.now();
    const batch = waiting.slice(0, ITEMS_MAX);
    waiting = waiting.slice(ITEMS_MAX);
    underWay += 1;
    isStarting = false;
    startNext();
    try {
      const results = await apply(batch.map(({ item }) => item));
      if (results.length !== batch.length) throw new Error('A batch was not answered item by item.');
      for (const [index, one] of batch.entries()) one.resolve(results[index] as Result);
    } catch (error) {
      for (const one of batch) one.reject(error);
    }
    underWay -= 1;
    startNext();
  };

  const startNext = (): void => {
    if (isStarting || waiting.length === 0 || underWay >= UNDER_WAY_MAX) return;
    isStarting = true;
    setImmediate(() => {
      // `run` hands every failure to those who wait, so it never rejects itself.
      void run();
    });
  };

  return {
    add: (item) =>
      new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        startNext();
      }),
  };
}

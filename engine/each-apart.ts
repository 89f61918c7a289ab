import { eachAtOnce } from './each-at-once.ts';

/** Where so many have failed and none went well between them, the engine or the database is away, and not one of the items bad. */
const FAILURES_MAX = 100;

/**
 * Does something for each item, so many at a time. One that fails is told of and keeps no other from its turn; rejects with
 * a failure once nothing goes well any more.
 */
export async function eachApart<Item>(
  items: Iterable<Item>,
  atOnceMax: number,
  work: (item: Item) => Promise<unknown>,
  onError: (error: unknown) => void,
): Promise<void> {
  let failures = 0;
  await eachAtOnce(items, atOnceMax, async (item) => {
    try {
      await work(item);
      failures = 0;
    } catch (error) {
      failures += 1;
      if (failures >= FAILURES_MAX) throw error;
      onError(error);
    }
  });
}

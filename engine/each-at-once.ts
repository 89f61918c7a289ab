/** Does something for each item, so many at a time. Rejects with the first failure, once what was under way has ended. */
export async function eachAtOnce<Item>(
  items: Iterable<Item>,
  atOnceMax: number,
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  // They share one iterator, so each item is taken once; a failure ends it for all of them.
  const left = items[Symbol.iterator]();
  let hasFailed = false;
  const turn = async (): Promise<void> => {
    for (let next = left.next(); next.done !== true && !hasFailed; next = left.next()) {
      try {
        await work(next.value);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: atOnceMax }, turn));
  const failed = ended.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

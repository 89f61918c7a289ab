/**
 * Waits for queries of one transaction that were asked for together. Of those that fail the first one's error is
 * told: PostgreSQL refuses the others only because of it.
 */
export async function askedTogether<Queries extends readonly Promise<unknown>[] | []>(
  queries: Queries,
): Promise<{ -readonly [Index in keyof Queries]: Awaited<Queries[Index]> }> {
  const all: readonly Promise<unknown>[] = queries;
  const settled = await Promise.allSettled(all);
  const failed = settled.find((query) => query.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return Promise.all(queries);
}

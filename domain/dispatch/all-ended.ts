/** Waits for all of them, and then throws what the first that failed threw: until the last has ended none is over. */
export async function allEnded(works: Iterable<Promise<unknown>>): Promise<void> {
  const settled = await Promise.allSettled(works);
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

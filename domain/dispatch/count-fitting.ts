/** How many of these, from the first on, so much is enough for. */
export function countFitting<Item>(
  items: readonly Item[],
  max: number,
  amountOf: (item: Item) => number,
): number {
  let claimed = 0;
  const first = items.findIndex((item) => {
    claimed += amountOf(item);
    return claimed > max;
  });
  return first === -1 ? items.length : first;
}

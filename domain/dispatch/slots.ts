/** A worker's request slots: how many posts may be under way or leased at once, over all of its lanes. */
export interface Slots {
  /** Takes as many as are free, `wanted` at most; resolves with at least one, as soon as there is one. */
  readonly take: (wanted: number) => Promise<number>;
  readonly giveBack: (count: number) => void;
}

/** Makes `slotsMax` slots. */
export function createSlots(slotsMax: number): Slots {
  let free = slotsMax;
  const waiting: { readonly wanted: number; readonly resolve: (taken: number) => void }[] = [];

  const grant = (wanted: number): number => {
    const taken = Math.min(wanted, free);
    free -= taken;
    return taken;
  };

  return {
    take: (wanted) =>
      free > 0
        ? Promise.resolve(grant(wanted))
        : new Promise((resolve) => {
            waiting.push({ wanted, resolve });
          }),
    giveBack: (count) => {
      free += count;
      while (free > 0) {
        const next = waiting.shift();
        if (next === undefined) return;
        next.resolve(grant(next.wanted));
      }
    },
  };
}

/** A worker's request slots: how many posts may be under way at once, over all of its lanes. */
export interface Slots {
  readonly free: () => number;
  /** Resolves with one slot taken, in the order of asking. */
  readonly take: () => Promise<void>;
  readonly giveBack: () => void;
}

/** Makes `slotsMax` slots. */
export function createSlots(slotsMax: number): Slots {
  let taken = 0;
  const waiting: (() => void)[] = [];
  return {
    free: () => slotsMax - taken,
    take: () => {
      if (taken < slotsMax) {
        taken += 1;
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        waiting.push(resolve);
      });
    },
    giveBack: () => {
      const next = waiting.shift();
      // A slot that somebody waits for passes on without ever counting as free.
      if (next === undefined) taken -= 1;
      else next();
    },
  };
}

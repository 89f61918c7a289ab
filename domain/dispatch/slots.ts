import { LEASE_WIDTH_MAX } from './pace.ts';

/**
 * The most posts of a worker that are leased or under way at once where something limits how fast they go out: whoever
 * waits for his turn when the worker dies is unknown.
 */
export const REQUESTS_AT_ONCE_MAX = 50;
/** The same of those that nothing limits, and so wait for nothing. */
export const UNLIMITED_AT_ONCE_MAX = 256;

/** A worker's request slots: how many posts may be under way or leased at once, over all of its lanes. */
export interface Slots {
  /**
   * Takes as many as are free, `wanted` at most. Waits until there are that many, or a quarter of all, or so many that
   * a lease of full width stays under way: whoever takes each slot as it comes back asks for a lease of one, and a lease
   * costs as much whatever its width.
   */
  readonly take: (wanted: number) => Promise<number>;
  readonly giveBack: (count: number) => void;
}

/** Makes `slotsMax` slots. */
export function createSlots(slotsMax: number): Slots {
  let free = slotsMax;
  const enough = (wanted: number): number =>
    Math.min(wanted, Math.max(Math.ceil(slotsMax / 4), slotsMax - LEASE_WIDTH_MAX));
  const waiting: { readonly wanted: number; readonly resolve: (taken: number) => void }[] = [];

  const grant = (wanted: number): number => {
    const taken = Math.min(wanted, free);
    free -= taken;
    return taken;
  };

  return {
    take: (wanted) =>
      waiting.length === 0 && free >= enough(wanted)
        ? Promise.resolve(grant(wanted))
        : new Promise((resolve) => {
            waiting.push({ wanted, resolve });
          }),
    giveBack: (count) => {
      free += count;
      for (;;) {
        const [next] = waiting;
        if (next === undefined || free < enough(next.wanted)) return;
        waiting.shift();
        next.resolve(grant(next.wanted));
      }
    },
  };
}

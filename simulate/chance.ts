/**
 * All randomness of a seed. A draw depends on the seed, on its key and on how often the key was drawn before, and on
 * nothing else: leaving one fault out does not reshuffle all others, so what fails can be made smaller.
 */
export interface Chance {
  /** From 0 up to 1. */
  readonly draw: (key: string) => number;
  /** A whole number from `min` to `max`, both included. */
  readonly whole: (key: string, min: number, max: number) => number;
  readonly pick: <Item>(key: string, items: readonly [Item, ...Item[]]) => Item;
  /** Milliseconds, mostly few. */
  readonly delayMs: (key: string, maxMs: number) => number;
  /** Whether a fault strikes here; it is noted, and left out once faults are over or when it was dropped. */
  readonly strikes: (key: string, probability: number) => boolean;
  /** The same for a fault that may also strike once the others are over. */
  readonly lingers: (key: string, probability: number) => boolean;
  /** What struck, in order. */
  readonly struck: readonly string[];
  /** Whether a move of the scenario was left out. */
  readonly isDropped: (name: string) => boolean;
  readonly endFaults: () => void;
}

/** The chance of a seed, without the faults that were dropped. */
export function createChance(seed: number, dropped: ReadonlySet<string>): Chance {
  const drawn = new Map<string, number>();
  const struck: string[] = [];
  let isOver = false;

  const count = (key: string): number => {
    const times = (drawn.get(key) ?? 0) + 1;
    drawn.set(key, times);
    return times;
  };
  const draw = (key: string): number => unitOf(seed, key, count(key));

  const lingers = (key: string, probability: number): boolean => {
    if (probability <= 0) return false;
    const times = count(key);
    if (unitOf(seed, key, times) >= probability) return false;
    const name = `${key}#${times}`;
    if (dropped.has(name)) return false;
    struck.push(name);
    return true;
  };

  return {
    draw,
    whole: (key, min, max) => min + Math.floor(draw(key) * (max - min + 1)),
    pick: (key, items) => items[Math.floor(draw(key) * items.length)] ?? items[0],
    delayMs: (key, maxMs) => Math.ceil(draw(key) ** 3 * maxMs),
    strikes: (key, probability) => !isOver && lingers(key, probability),
    lingers,
    struck,
    isDropped: (name) => dropped.has(name),
    endFaults: () => {
      isOver = true;
    },
  };
}

/** FNV-1a over the key, then the finalizer of MurmurHash3, so that neighbours have nothing in common. */
function unitOf(seed: number, key: string, times: number): number {
  let hash = 0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1);
  for (let index = 0; index < key.length; index += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ times, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 0x1_0000_0000;
}

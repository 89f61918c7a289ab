import type { Suspension } from './dispatch-store.ts';

/** Whether what a lane has leased may still be posted. */
export interface Halting {
  readonly isHalted: () => boolean;
  readonly because: (reason: Halt) => void;
}

/** Why the rest of a lease is not posted. */
export type Halt =
  { readonly kind: 'held' | 'cancelled' } | { readonly kind: 'wait'; readonly waitMs: number } | Suspension;

/** How long a lane waits, in machine time, where nobody has said for how long. */
export const HALT_MS = 1_000;

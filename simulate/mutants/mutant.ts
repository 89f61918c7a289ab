import type { Protocol } from '../protocol.ts';

/** The protocol with one rule of it broken. A simulator that does not notice is worth nothing. */
export interface Mutant {
  readonly name: string;
  /** What goes wrong in the world because of it. */
  readonly harm: string;
  readonly mutate: (protocol: Protocol) => Protocol;
}

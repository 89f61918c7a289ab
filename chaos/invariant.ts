/** One invariant, whether it holds, and the figures that say so. */
export interface Invariant {
  readonly name: string;
  readonly holds: boolean;
  readonly figures: string;
}

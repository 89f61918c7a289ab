/** Machine time: monotonic, for the age of a lease and for pace. */
export interface MachineClock {
  readonly now: () => number;
  /** Resolves early when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

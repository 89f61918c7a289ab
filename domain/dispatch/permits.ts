/** One worker's permits for requests under way at carrier accounts, kept where all workers see them. */
export interface PermitStore {
  /**
   * Renews them for so long, and resolves with how many they are now: `wanted` at most, and no fewer than it has in use.
   * Infinite where the account sets no limit.
   */
  readonly claim: (carrierAccountId: string, claim: PermitClaim) => Promise<number>;
  /** Gives them back; nothing is under way any more. */
  readonly release: (carrierAccountId: string) => Promise<void>;
}

/** What a worker asks for. */
export interface PermitClaim {
  readonly wanted: number;
  readonly inUse: number;
  /** How long they stay taken, in machine time, if the worker is not heard of again. */
  readonly ttlMs: number;
}

/**
 * How many permits a worker is given: an even share of what the account allows, as soon as the others have come down to
 * theirs, `wanted` at most, and no fewer than it has in use of its own.
 */
export function sharePermits(
  claim: PermitClaim,
  account: {
    readonly atOnceMax: number;
    /** How many other workers have permits. */
    readonly others: number;
    /** How many permits those have together. */
    readonly taken: number;
    /** How many this one has until now. */
    readonly own: number;
  },
): number {
  const { atOnceMax, others, taken, own } = account;
  const share = Math.max(1, Math.floor(atOnceMax / (others + 1)));
  return Math.min(
    Math.max(0, atOnceMax - taken),
    Math.max(Math.min(claim.inUse, own), Math.min(claim.wanted, share)),
  );
}

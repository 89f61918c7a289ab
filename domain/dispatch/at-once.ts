/** Room for requests under way at a carrier account, over all workers: the carrier refuses more than so many at once. */
export interface AtOnce {
  /**
   * Waits for room for one request. Resolves with false, and without room, once the signal aborts, or soon after `isOver`
   * has become true.
   */
  readonly take: (carrierAccountId: string, signal: AbortSignal, isOver?: () => boolean) => Promise<boolean>;
  readonly giveBack: (carrierAccountId: string) => void;
}

/** For a carrier that takes any number at once. */
export const UNLIMITED: AtOnce = { take: () => Promise.resolve(true), giveBack: () => undefined };

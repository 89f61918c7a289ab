import { RESEND_WAIT_MS } from './retry.ts';
import { SETTLE_MS } from './schedule.ts';

/** Where a campaign stands whose messages are all over; instants are campaign time in epoch milliseconds. */
export interface SettlingFacts {
  /** When its last message ended. */
  readonly endedAt: number;
  /** Accepted texts without a final report. */
  readonly awaited: number;
  /** Somebody has been noted for a new attempt that follows by itself. */
  readonly isRetried: boolean;
  /** The carrier's list is still to tell of somebody who then may be sent again by himself. */
  readonly isResent: boolean;
}

/** Wait for reports, wait for the list, or finish: nothing follows by itself any more. */
export type Settling =
  | { readonly kind: 'reports'; readonly until: number }
  | { readonly kind: 'list'; readonly until: number }
  | { readonly kind: 'finish' };

/** Whether a campaign is at its end at an instant. */
export function decideSettling(facts: SettlingFacts, at: number): Settling {
  const { endedAt, awaited, isRetried, isResent } = facts;
  const settledAt = endedAt + SETTLE_MS;
  if (isRetried || (awaited > 0 && at < settledAt)) return { kind: 'reports', until: settledAt };
  const resentUntil = endedAt + RESEND_WAIT_MS;
  return isResent && at < resentUntil ? { kind: 'list', until: resentUntil } : { kind: 'finish' };
}

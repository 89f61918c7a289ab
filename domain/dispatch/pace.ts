/** The most recipients of one lease. */
export const LEASE_WIDTH_MAX = 128;
/** A lease holds about this much of the sender's pace. */
export const LEASE_PACE_MS = 2_000;
/** Pace further ahead than this is waited for without a lease, so that a lease never grows old in waiting. */
export const START_DELAY_MS_MAX = 1_000;
/** The carrier's request limit is a sliding window; spreading a tenth under it keeps every window within it. */
export const REQUEST_LIMIT_USED = 0.9;

/** What a lease has claimed may be given back for so long after it was opened: its age, and the carrier's answer. */
export const MAY_BE_GIVEN_BACK_MS = 60_000;
/** A lane that lacks money, or units of a daily cap, looks again this often while something may be given back. */
export const RECLAIM_DELAY_MS = 250;

/** A carrier account's limit of requests over all senders and workers; 0 is none. */
export interface RequestLimit {
  readonly requestsMax: number;
  readonly windowMs: number;
}

/** Milliseconds from one request to the next, 0 when the carrier sets no limit. */
export function requestIntervalMs(limit: RequestLimit): number {
  return limit.requestsMax === 0 ? 0 : limit.windowMs / (limit.requestsMax * REQUEST_LIMIT_USED);
}

/** The most recipients whom a lease of a sender of this pace holds; null is unpaced. */
export function leaseWidth(pace: number | null): number {
  return pace === null
    ? LEASE_WIDTH_MAX
    : Math.min(LEASE_WIDTH_MAX, Math.max(1, Math.ceil((pace * LEASE_PACE_MS) / 1_000)));
}

/**
 * How long a message's texts take, in milliseconds, while nothing else is sent from the sender: whichever of its
 * pace and the carrier's limit of requests is slower. `units` are segments, or texts for MMS; one text for
 * everybody goes out in the carrier's bulk form, a request a lease.
 */
export function sendingMs(message: {
  readonly recipients: number;
  readonly units: number;
  readonly pace: number | null;
  readonly isSameForAll: boolean;
  readonly limit: RequestLimit;
}): number {
  const { recipients, pace } = message;
  const paceMs = pace === null ? 0 : (message.units * 1_000) / pace;
  const requests = message.isSameForAll ? Math.ceil(recipients / leaseWidth(pace)) : recipients;
  return Math.max(paceMs, requests * requestIntervalMs(message.limit));
}

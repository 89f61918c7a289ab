/** The most recipients of one lease. */
export const LEASE_WIDTH_MAX = 128;
/**
 * So many leases are opened in one transaction where everybody gets the same text, since what that costs hardly depends
 * on how many they are. Each stays a lease of its own, with a request of its own.
 */
export const LEASES_MAX = 16;
/** What is leased at a time holds about this much of the sender's pace. */
export const LEASE_PACE_MS = 2_000;
/** Pace further ahead than this is waited for without a lease, so that a lease never grows old in waiting. */
export const START_DELAY_MS_MAX = 1_000;
/** Lanes that may lease at the same instant come within so long of it, whoever has waited longest first. */
const PRECEDENCE_MS = 400;
/** Whoever has waited so long comes after half of that time. */
const PRECEDENCE_HALVES_MS = 2_000;
/** The carrier's request limit is a sliding window; spreading a tenth under it keeps every window within it. */
export const REQUEST_LIMIT_USED = 0.9;

/** A lease older than this, in machine time, is not posted: others may have waited for its outcome. */
export const LEASE_AGE_MS_MAX = 20_000;
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

/**
 * How many recipients may be leased at a time by whoever has so many request slots: who is leased but not posted when a
 * worker dies is unknown, so that is no more than can be posted at once. A request in bulk form takes one slot whatever
 * its width.
 */
export function widthOfSlots(slots: number, isSameForAll: boolean, leaseWidthMax = LEASE_WIDTH_MAX): number {
  return isSameForAll ? leaseWidthMax * Math.min(LEASES_MAX, slots) : Math.min(leaseWidthMax, slots);
}

/** How many recipients of a sender of this pace may be leased at a time; null is unpaced. */
export function widthOfPace(pace: number | null): number {
  return pace === null ? Number.POSITIVE_INFINITY : Math.max(1, Math.ceil((pace * LEASE_PACE_MS) / 1_000));
}

/**
 * How long whoever finds so much pace claimed ahead of him waits, in milliseconds, before he may lease; 0 is at once. That
 * is before whoever has claimed it asks for more, so that a sender's campaigns take turns.
 */
export function waitForPaceMs(aheadMs: number): number {
  return aheadMs > START_DELAY_MS_MAX ? Math.max(1, Math.ceil(aheadMs - START_DELAY_MS_MAX)) : 0;
}

/** How much later than he may a lane asks again that has waited so long since its last lease, in milliseconds. */
export function precedenceMs(waitedMs: number): number {
  return PRECEDENCE_MS / (1 + waitedMs / PRECEDENCE_HALVES_MS);
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
  const requests = message.isSameForAll
    ? Math.ceil(recipients / Math.min(LEASE_WIDTH_MAX, widthOfPace(pace)))
    : recipients;
  return Math.max(paceMs, requests * requestIntervalMs(message.limit));
}

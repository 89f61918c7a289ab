import { describeErrorCode } from './error-codes.ts';

const MINUTE_MS = 60_000;

/**
 * How long after each failure of a recipient's text the next attempt follows, in milliseconds of campaign time; after as
 * many failures it is the last word. Other codes are never tried again by themselves.
 */
const BACKOFF_MS = {
  yes: [1 * MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS],
  later: [30 * MINUTE_MS, 120 * MINUTE_MS],
  once: [15 * MINUTE_MS],
  in_window: [5 * MINUTE_MS],
} as const;

/** Somebody after whose last attempt a new one may follow by itself. */
export interface NotedRetry {
  /** The carrier reported that it never handed the text over, or its list does not have it. */
  readonly why: 'failed' | 'absent';
  readonly code: string | null;
  /** Attempts of his that the carrier reported as never handed over. */
  readonly failures: number;
  /** Attempts of his that are unknown, or were until another had a result. */
  readonly unknowns: number;
}

/** When his next attempt is due (campaign time); null when nothing follows by itself, or only after the expiry. */
export function retryDueAt(noted: NotedRetry, at: number, expiresAt: number | null): number | null {
  const delayMs =
    noted.why === 'absent' ? resendDelayMs(noted.unknowns) : retryDelayMs(noted.code, noted.failures);
  if (delayMs === null) return null;
  const dueAt = at + delayMs;
  return expiresAt !== null && dueAt >= expiresAt ? null : dueAt;
}

function resendDelayMs(unknowns: number): number | null {
  return unknowns <= RESENDS_MAX ? 0 : null;
}

/** How often a text may follow by itself after ones that the carrier's list does not have. */
export const RESENDS_MAX = 1;
/**
 * How long a message's end waits for the list to tell of somebody who may be sent again: until it has been asked an hour
 * after the post. Milliseconds of campaign time.
 */
export const RESEND_WAIT_MS = 70 * MINUTE_MS;

/** Whether a text that was never handed over may be tried again by itself, if its campaign still runs. */
export function isRetried(code: string | null): boolean {
  return code !== null && describeErrorCode(code).retry in BACKOFF_MS;
}

/**
 * How long to wait for the next attempt after a report of `failed`, or null when there is none any more. `failures`
 * counts those of the recipient, this one among them. Only for `failed`: what was handed over may have arrived.
 */
export function retryDelayMs(code: string | null, failures: number): number | null {
  if (code === null) return null;
  const { retry } = describeErrorCode(code);
  if (!(retry in BACKOFF_MS)) return null;
  const delays: readonly number[] = BACKOFF_MS[retry as keyof typeof BACKOFF_MS];
  return delays[failures - 1] ?? null;
}

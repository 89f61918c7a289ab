import type { HttpReport } from './http-report.ts';

const RETRY_AFTER_MS_MAX = 60 * 60_000;

/** Retry-After in seconds or as an HTTP date (RFC 9110, 10.2.3); null when it is neither. */
export function retryAfterMs(report: HttpReport): number | null {
  const header = report.headers['retry-after'];
  if (typeof header !== 'string') return null;
  const delayMs = /^\d+$/.test(header) ? Number(header) * 1_000 : httpDateMs(header) - Date.now();
  return Number.isNaN(delayMs) ? null : Math.min(Math.max(0, delayMs), RETRY_AFTER_MS_MAX);
}

/** Date.parse reads nearly anything with a digit in it as a date, and a date long past would be a retry at once. */
function httpDateMs(text: string): number {
  return text.endsWith(' GMT') ? Date.parse(text) : Number.NaN;
}

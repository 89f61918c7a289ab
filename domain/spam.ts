/** Spam reports (the carrier's code 30) are judged over so much of the past, in machine time. */
export const SPAM_WINDOW_MS = 60 * 60_000;
/** Fewer than so many say nothing. */
export const SPAM_REPORTS_MIN = 10;
/** So many of a hundred final reports of a sender suspend its campaigns: going on would cost it its registration. */
export const SPAM_PERCENT_MAX = 5;

/** Whether a sender has so many spam reports among its final ones that its campaigns may not go on. */
export function isSpamming(seen: { readonly finals: number; readonly spam: number }): boolean {
  return seen.spam >= SPAM_REPORTS_MIN && seen.spam * 100 > seen.finals * SPAM_PERCENT_MAX;
}

/** Extra passes that a finished campaign's owner can order. */
export const ROUND_KINDS = ['retry_failed', 'resend_unknown'] as const;
/**
 * `retry_failed`: whoever's text the carrier has reported as never handed over. `resend_unknown`: of whom nobody knows
 * whether the carrier took his text; whoever it did reach gets it twice.
 */
export type RoundKind = (typeof ROUND_KINDS)[number];

/** Whether the word names a kind of round. */
export function isRoundKind(word: string): word is RoundKind {
  return ROUND_KINDS.some((kind) => kind === word);
}

/** What became of the people of a round. The counts add up to `recipients`, those of reports to `accepted` at most. */
export interface RoundReport {
  readonly recipients: number;
  /** Not tried yet, or to be tried once more since the carrier certainly did not take it. */
  readonly waiting: number;
  readonly accepted: number;
  readonly delivered: number;
  readonly undelivered: number;
  readonly failed: number;
  readonly rejected: number;
  readonly unknown: number;
  /** Not tried after all: an opt-out, an expiry, or a proof that the text before had arrived. */
  readonly leftOut: number;
}

/** Reads the counters of one round, those of all messages added up. */
export function roundReportOf(counters: ReadonlyMap<string, number>, round: number): RoundReport {
  const get = (what: string): number => counters.get(`round:${round}:${what}`) ?? 0;
  const decided = {
    accepted: get('accepted'),
    rejected: get('rejected'),
    unknown: get('unknown'),
    leftOut: get('left_out'),
  };
  const recipients = get('recipients');
  return {
    recipients,
    ...decided,
    waiting: recipients - Object.values(decided).reduce((sum, count) => sum + count, 0),
    delivered: get('delivered'),
    undelivered: get('undelivered'),
    failed: get('failed'),
  };
}

/** How far a campaign has come, all its messages together. The counts add up to `recipients`. */
export interface Progress {
  readonly recipients: number;
  readonly accepted: number;
  readonly delivered: number;
  readonly undelivered: number;
  readonly failed: number;
  readonly rejected: number;
  readonly unknown: number;
  readonly skipped: number;
  readonly expired: number;
  /** Nobody knows yet what becomes of them: waiting, on their way or to be tried again. */
  readonly left: number;
  readonly segments: number;
}

/** Reads a campaign's counters, those of all its messages added up, as its progress. */
export function progressOf(counters: ReadonlyMap<string, number>, recipients: number): Progress {
  const get = (counter: string): number => counters.get(counter) ?? 0;
  const sumOf = (prefix: string): number => {
    let sum = 0;
    for (const [counter, value] of counters) if (counter.startsWith(`${prefix}:`)) sum += value;
    return sum;
  };
  const decided = {
    accepted: get('accepted'),
    rejected: sumOf('rejected'),
    unknown: get('unknown') - get('resolved'),
    skipped: sumOf('skipped'),
    expired: get('expired'),
  };
  return {
    recipients,
    ...decided,
    delivered: get('delivered'),
    undelivered: sumOf('undelivered'),
    failed: sumOf('failed'),
    left: recipients - Object.values(decided).reduce((sum, count) => sum + count, 0),
    segments: get('segments'),
  };
}

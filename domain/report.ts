/** A reason and how many it concerns. */
export interface ReasonCount {
  readonly reason: string;
  readonly count: number;
}

/** What is known of unknown attempts. */
export interface UnknownCounts {
  /** The carrier's list is still to be asked, or could mean more than one thing. */
  readonly unresolved: number;
  /** Asked long enough after the post, the list does not have them. */
  readonly absent: number;
  /** Nothing will be told of them any more. */
  readonly final: number;
}

/**
 * What became of everybody a message was meant for. The counts add up to `recipients`:
 * accepted + rejected + unknown + skipped + expired + deferred + inFlight + waiting.
 */
export interface MessageReport {
  readonly recipients: number;
  /** The carrier took it; what it reported since stands in the three fields below. */
  readonly accepted: number;
  readonly delivered: number;
  readonly undelivered: readonly ReasonCount[];
  readonly failed: readonly ReasonCount[];
  /** Accepted, without a last word yet. */
  readonly awaitingReport: number;
  readonly rejected: readonly ReasonCount[];
  /** Nobody knows whether the carrier took it; sent again by a round, or by itself where the account has chosen so. */
  readonly unknown: number;
  /** The same, by what the carrier's list has said. They add up to `unknown`. */
  readonly unknownAs: UnknownCounts;
  readonly skipped: readonly ReasonCount[];
  readonly expired: number;
  /** Certainly not accepted yet, will be tried again. */
  readonly deferred: number;
  readonly inFlight: number;
  readonly waiting: number;
  readonly segments: number;
  readonly costMicroUsd: number;
}

/** Reads a message's counters as a report. */
export function reportOf(counters: ReadonlyMap<string, number>, recipients: number): MessageReport {
  const get = (counter: string): number => counters.get(counter) ?? 0;
  const byReason = (prefix: string): ReasonCount[] =>
    [...counters]
      .filter(([counter, count]) => counter.startsWith(`${prefix}:`) && count > 0)
      .map(([counter, count]) => ({ reason: counter.slice(prefix.length + 1), count }))
      .toSorted(mostFirst);
  const undelivered = byReason('undelivered');
  const failed = byReason('failed');
  const rejected = byReason('rejected');
  const skipped = byReason('skipped');
  const accepted = get('accepted');
  const unknown = get('unknown') - get('resolved');
  // Who is tried again has left his deferral only once there is a result.
  const inFlightAgain = get('in_flight_again');
  const inFlight = get('in_flight') + inFlightAgain;
  const deferred = get('not_accepted') - get('left_deferral') - inFlightAgain;
  const decided = accepted + total(rejected) + unknown + total(skipped) + get('expired') + deferred;
  return {
    recipients,
    accepted,
    delivered: get('delivered'),
    undelivered,
    failed,
    awaitingReport: accepted - get('delivered') - total(undelivered) - total(failed),
    rejected,
    unknown,
    unknownAs: {
      unresolved: unknown - get('absent') - get('final'),
      absent: get('absent'),
      final: get('final'),
    },
    skipped,
    expired: get('expired'),
    deferred,
    inFlight,
    waiting: recipients - decided - inFlight,
    segments: get('segments'),
    costMicroUsd: get('estimate_micro_usd') - get('estimate_of_billed_micro_usd') + get('billed_micro_usd'),
  };
}

function mostFirst(one: ReasonCount, other: ReasonCount): number {
  return other.count - one.count || one.reason.localeCompare(other.reason);
}

/** The sum of counts. */
export function total(reasons: readonly ReasonCount[]): number {
  return reasons.reduce((sum, reason) => sum + reason.count, 0);
}

/** The report of several messages together. */
export function sumReports(reports: readonly MessageReport[]): MessageReport {
  const sum = (pick: (report: MessageReport) => number): number =>
    reports.reduce((all, report) => all + pick(report), 0);
  const merge = (pick: (report: MessageReport) => readonly ReasonCount[]): ReasonCount[] => {
    const counts = new Map<string, number>();
    for (const { reason, count } of reports.flatMap(pick))
      counts.set(reason, (counts.get(reason) ?? 0) + count);
    return [...counts].map(([reason, count]) => ({ reason, count })).toSorted(mostFirst);
  };
  return {
    recipients: sum((report) => report.recipients),
    accepted: sum((report) => report.accepted),
    delivered: sum((report) => report.delivered),
    undelivered: merge((report) => report.undelivered),
    failed: merge((report) => report.failed),
    awaitingReport: sum((report) => report.awaitingReport),
    rejected: merge((report) => report.rejected),
    unknown: sum((report) => report.unknown),
    unknownAs: {
      unresolved: sum((report) => report.unknownAs.unresolved),
      absent: sum((report) => report.unknownAs.absent),
      final: sum((report) => report.unknownAs.final),
    },
    skipped: merge((report) => report.skipped),
    expired: sum((report) => report.expired),
    deferred: sum((report) => report.deferred),
    inFlight: sum((report) => report.inFlight),
    waiting: sum((report) => report.waiting),
    segments: sum((report) => report.segments),
    costMicroUsd: sum((report) => report.costMicroUsd),
  };
}

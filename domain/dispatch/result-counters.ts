import type { AttemptResult } from './dispatch-store.ts';

/**
 * How a message's counters change by one result that was written, counter by counter. In a wave that repeats nobody was
 * deferred: whoever is in it stays what he was, also when the new attempt was certainly not accepted.
 */
export function countersOfResult(
  result: AttemptResult,
  isRepeated = false,
): readonly (readonly [counter: string, delta: number])[] {
  const left: readonly (readonly [string, number])[] =
    result.attempt > 1 && !isRepeated ? [['left_deferral', 1]] : [];
  switch (result.result) {
    case 'accepted':
    case 'unknown':
      return [
        ...left,
        [result.result, 1],
        ['segments', result.segments],
        ['estimate_micro_usd', result.costMicroUsd],
      ];
    case 'rejected':
      return [...left, [`rejected:${result.cause ?? 'none'}`, 1]];
    case 'not_accepted':
      return isRepeated ? [] : [...left, ['not_accepted', 1]];
  }
}

/** Whether the carrier has taken the text, or may have: what was claimed for it stays claimed then. */
export function mayBeTaken({ result }: Pick<AttemptResult, 'result'>): boolean {
  return result === 'accepted' || result === 'unknown';
}

/** What the carrier certainly did not take is given back, in micro-dollars. Unknown counts as spent. */
export function refundOf(result: AttemptResult): number {
  return mayBeTaken(result) ? 0 : result.costMicroUsd;
}

/** The counter of a round's line in the report. */
export function roundCounter(round: number, what: string): string {
  return `round:${round}:${what}`;
}

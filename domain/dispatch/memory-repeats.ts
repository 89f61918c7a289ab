import { addToCounter } from './memory-ledger.ts';
import type { MemoryAttempt, MemoryEntry, MemoryMessage, MemoryRepeats } from './memory-rows.ts';
import { roundCounter } from './result-counters.ts';

/** Adds one to a counter of the round, where a round has ordered the wave. */
export function countInRound(
  message: MemoryMessage,
  repeats: MemoryRepeats | null,
  what: string,
  delta = 1,
): void {
  if (repeats !== null && repeats.round !== null)
    addToCounter(message, roundCounter(repeats.round, what), delta);
}

/** A new attempt has a result: what his last one that was taken, or may have been, counted for counts no more. */
export function leaveFormerState(message: MemoryMessage, entry: MemoryEntry, newer: number): void {
  const former = lastOf(entry.attempts.filter((one) => one.attempt < newer && one.result !== 'not_accepted'));
  if (former === undefined) return;
  const state = former.doubt?.state;
  if (former.doubt !== null && (state === 'open' || state === 'absent' || state === 'final')) {
    former.doubt.state = 'superseded';
    addToCounter(message, 'unknown', -1);
    if (state !== 'open') addToCounter(message, state, -1);
    return;
  }
  if (former.result === 'rejected') {
    addToCounter(message, `rejected:${former.cause ?? 'none'}`, -1);
    return;
  }
  addToCounter(message, 'accepted', -1);
  if (former.final !== null) addToCounter(message, finalCounter(former.final), -1);
}

/** The counter of a final status with its code. */
export function finalCounter(final: NonNullable<MemoryAttempt['final']>): string {
  return final.status === 'delivered' ? final.status : `${final.status}:${final.code ?? 'none'}`;
}

/** Whether an attempt after this one has a result that counts for the recipient. */
export function isSuperseded(entry: MemoryEntry, attempt: number): boolean {
  return entry.attempts.some((one) => one.attempt > attempt && one.result !== 'not_accepted');
}

/** Something proves that an unknown attempt was accepted. False where it was proved before. */
export function resolveUnknown(
  message: MemoryMessage,
  known: MemoryAttempt,
  uuid: string | null,
  repeats: MemoryRepeats | null,
): boolean {
  if (known.result !== 'unknown' || known.resolved !== null) return false;
  known.resolved = { uuid };
  countInRound(message, repeats, 'unknown', -1);
  countInRound(message, repeats, 'accepted');
  // Where a newer attempt has a result already, that one counts.
  if (known.doubt === null || known.doubt.state === 'superseded') return true;
  const { state } = known.doubt;
  if (state === 'absent' || state === 'final') addToCounter(message, state, -1);
  known.doubt.state = 'accepted';
  addToCounter(message, 'accepted', 1);
  addToCounter(message, 'resolved', 1);
  return true;
}

/**
 * Whoever is to be tried again is so only while nothing is known of a text that reached him: each of his attempts is
 * still unknown, or the carrier never handed it over.
 */
export function isSettled(entry: MemoryEntry, attempt: number): boolean {
  return entry.attempts.some(
    (one) =>
      one.attempt < attempt &&
      one.result !== 'not_accepted' &&
      (one.result !== 'unknown' || one.resolved !== null) &&
      one.final?.status !== 'failed',
  );
}

/** His last attempt; undefined without any. */
export function lastOf(attempts: readonly MemoryAttempt[]): MemoryAttempt | undefined {
  return attempts.toSorted((one, other) => other.attempt - one.attempt)[0];
}

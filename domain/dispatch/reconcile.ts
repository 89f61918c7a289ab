import { askList, type AskListDeps } from './ask-list.ts';

/** Counts of what the list has said, and when the next unknown attempt has its turn; null: none is left. */
export interface ListReport {
  readonly accepted: number;
  readonly absent: number;
  readonly undecided: number;
  readonly final: number;
  /** Machine time in epoch milliseconds. */
  readonly nextAt: number | null;
  /** Campaigns that have somebody to try again by itself. */
  readonly wake: readonly string[];
}

const BUDGET_MS = 60_000;
/** Whoever asks is not waited for longer than this; then the attempt has its turn again. */
const TURN_MS_MAX = 10 * 60_000;
const CLOSE_BATCH = 1_000;

/**
 * Works through the unknown attempts of a carrier account whose turn it is, for a minute at most. `now` is machine time in
 * epoch milliseconds, by the clock that has dated the posts.
 */
export async function reconcileCarrier(
  deps: AskListDeps,
  carrierAccountId: string,
  now: () => number,
  signal: AbortSignal,
): Promise<ListReport> {
  const { store, times, machine } = deps;
  const startedAt = machine.now();
  const wake = new Set<string>();
  const counts = { accepted: 0, absent: 0, undecided: 0, final: 0 };
  let closed = CLOSE_BATCH;
  while (closed === CLOSE_BATCH) {
    closed = await store.closeUnknowns(carrierAccountId, now() - times.horizonMs, CLOSE_BATCH);
    counts.final += closed;
  }
  while (!signal.aborted && machine.now() - startedAt < BUDGET_MS) {
    const at = now();
    const unknown = await store.takeUnknown(carrierAccountId, at, at + TURN_MS_MAX);
    if (unknown === null || unknown.postedUntil + times.horizonMs <= at) break;
    const asked = await askList(deps, carrierAccountId, unknown, now, signal);
    if (asked.wake !== null) wake.add(asked.wake);
    const { verdict } = asked;
    if (verdict === 'failed') break;
    if (verdict === 'accepted' || verdict === 'absent') counts[verdict] += 1;
    else counts.undecided += 1;
  }
  return { ...counts, nextAt: await store.nextTurnAt(carrierAccountId), wake: [...wake] };
}

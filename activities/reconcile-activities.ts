import { Context, heartbeat } from '@temporalio/activity';
import { closeUnknowns, nextTurnAt, takeUnknown } from '../db/reconcile/unknowns.ts';
import { type AskListDeps, askList } from './ask-list.ts';
import { campaignClock } from './campaign-clock.ts';

/** A carrier account's id, an instant and the clock to follow. */
export interface ReconcileInput {
  readonly carrierAccountId: string;
  /** Machine time in epoch milliseconds, read by the workflow. */
  readonly at: number;
  readonly time: 'real' | 'virtual';
}

/** Counts of what the list has said, and when the next unknown attempt has its turn; null: none is left. */
export interface ReconcileOutput {
  readonly accepted: number;
  readonly absent: number;
  readonly undecided: number;
  readonly final: number;
  readonly nextAt: number | null;
  /** Campaigns that have somebody to try again by itself. */
  readonly wake?: readonly string[];
}

const BUDGET_MS = 60_000;
const HEARTBEAT_MS = 3_000;
/** Whoever asks is not waited for longer than this; then the attempt has its turn again. */
const TURN_MS_MAX = 10 * 60_000;
const CLOSE_BATCH = 1_000;

/** The activity that resolves unknown attempts of a carrier account through its list. */
export function createReconcileActivities(deps: AskListDeps) {
  return {
    /** Works through those whose turn it is, for a minute at most. */
    reconcile: async (input: ReconcileInput): Promise<ReconcileOutput> => {
      const { carrierAccountId } = input;
      const { cancellationSignal } = Context.current();
      const now = campaignClock(input);
      const startedAt = deps.machine.now();
      const wake = new Set<string>();
      const counts = { accepted: 0, absent: 0, undecided: 0, final: 0 };
      const beat = setInterval(() => heartbeat(), HEARTBEAT_MS);
      try {
        let closed = CLOSE_BATCH;
        while (closed === CLOSE_BATCH) {
          closed = await closeUnknowns(deps.db, carrierAccountId, now() - deps.times.horizonMs, CLOSE_BATCH);
          counts.final += closed;
        }
        while (!cancellationSignal.aborted && deps.machine.now() - startedAt < BUDGET_MS) {
          const at = now();
          const unknown = await takeUnknown(deps.db, carrierAccountId, at, at + TURN_MS_MAX);
          if (unknown === null || unknown.postedUntil.getTime() + deps.times.horizonMs <= at) break;
          const asked = await askList(deps, carrierAccountId, unknown, now, cancellationSignal);
          const { verdict } = asked;
          if (asked.wake !== null) wake.add(asked.wake);
          if (verdict === 'failed') break;
          if (verdict === 'accepted' || verdict === 'absent') counts[verdict] += 1;
          else counts.undecided += 1;
        }
        return { ...counts, nextAt: await nextTurnAt(deps.db, carrierAccountId), wake: [...wake] };
      } finally {
        clearInterval(beat);
      }
    },
  };
}

/** The activity as workflows see it. */
export type ReconcileActivities = ReturnType<typeof createReconcileActivities>;

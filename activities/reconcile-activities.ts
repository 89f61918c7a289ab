import { Context, heartbeat } from '@temporalio/activity';
import type { AskListDeps } from '../domain/dispatch/ask-list.ts';
import { type ListReport, reconcileCarrier } from '../domain/dispatch/reconcile.ts';
import { campaignClock } from './campaign-clock.ts';

/** A carrier account's id, an instant and the clock to follow. */
export interface ReconcileInput {
  readonly carrierAccountId: string;
  /** Machine time in epoch milliseconds, read by the workflow. */
  readonly at: number;
  readonly time: 'real' | 'virtual';
}

/** What an older worker answered had no `wake`. */
export type ReconcileOutput = Omit<ListReport, 'wake'> & Partial<Pick<ListReport, 'wake'>>;

const HEARTBEAT_MS = 3_000;
/** The activity that resolves unknown attempts of a carrier account through its list. */
export function createReconcileActivities(deps: AskListDeps) {
  return {
    /** Works through those whose turn it is, for a minute at most. */
    reconcile: async (input: ReconcileInput): Promise<ReconcileOutput> => {
      const { carrierAccountId } = input;
      const { cancellationSignal } = Context.current();
      const beat = setInterval(() => heartbeat(), HEARTBEAT_MS);
      try {
        return await reconcileCarrier(deps, carrierAccountId, campaignClock(input), cancellationSignal);
      } finally {
        clearInterval(beat);
      }
    },
  };
}

/** The activity as workflows see it. */
export type ReconcileActivities = ReturnType<typeof createReconcileActivities>;

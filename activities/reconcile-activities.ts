import { Context, heartbeat } from '@temporalio/activity';
import { databaseNow } from '../db/database-clock.ts';
import type { Db } from '../db/database.ts';
import type { AskListDeps } from '../domain/dispatch/ask-list.ts';
import { type ListReport, reconcileCarrier } from '../domain/dispatch/reconcile.ts';

/** A carrier account's id, an instant and the clock to follow. */
export interface ReconcileInput {
  readonly carrierAccountId: string;
  /** The workflow's clock, in epoch milliseconds. */
  readonly at: number;
  readonly time: 'real' | 'virtual';
}

/** `nextAt` is an instant of the workflow's clock. What an older worker answered had no `wake`. */
export type ReconcileOutput = Omit<ListReport, 'wake'> & Partial<Pick<ListReport, 'wake'>>;

/** What asking the carrier's list needs, and the database whose clock has dated the posts. */
export interface ReconcileDeps extends AskListDeps {
  readonly db: Db;
}

const HEARTBEAT_MS = 3_000;

/** The activity that resolves unknown attempts of a carrier account through its list. */
export function createReconcileActivities(deps: ReconcileDeps) {
  return {
    /** Works through those whose turn it is, for a minute at most. */
    reconcile: async (input: ReconcileInput): Promise<ReconcileOutput> => {
      const { carrierAccountId } = input;
      const { cancellationSignal } = Context.current();
      const beat = setInterval(() => heartbeat(), HEARTBEAT_MS);
      try {
        // Posts are dated by the database's clock, and so is everything that is compared with them. A worker whose own
        // clock is ahead would call a text absent that the list does not show yet.
        const startedAt = input.time === 'real' ? await databaseNow(deps.db) : input.at;
        const started = performance.now();
        const now = (): number => Math.floor(startedAt + performance.now() - started);
        const report = await reconcileCarrier(deps, carrierAccountId, now, cancellationSignal);
        const { nextAt } = report;
        return { ...report, nextAt: nextAt === null ? null : Math.ceil(nextAt - startedAt + input.at) };
      } finally {
        clearInterval(beat);
      }
    },
  };
}

/** The activity as workflows see it. */
export type ReconcileActivities = ReturnType<typeof createReconcileActivities>;

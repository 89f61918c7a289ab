import { activityInfo, Context } from '@temporalio/activity';
import { type Db, withAccount } from '../db/database.ts';
import { openEndsOfCampaign } from '../db/report-counters.ts';
import { messagesWithRetries } from '../db/retries.ts';
import type { ReportWatches } from './report-watches.ts';

const LOOK_EVERY_MS = 500;
/**
 * All watches of a worker together look no more often. A hundred that looked twice a second took a fifth of two cores from
 * those campaigns of a crowd that had not sent yet.
 */
const LOOKS_PER_SECOND_MAX = 20;

/** How long each of so many watches waits until it looks again. */
export function lookEveryMs(watches: number): number {
  return Math.max(LOOK_EVERY_MS, (watches * 1_000) / LOOKS_PER_SECOND_MAX);
}

/** The activity by which a campaign that has sent waits for what the carrier has still to report. */
export function createReportActivities({
  db,
  watches,
}: {
  readonly db: Db;
  readonly watches: ReportWatches;
}) {
  return {
    /**
     * Watches for the last reports for `waitMs` of machine time. True when none is awaited any more, or one of them has
     * said that somebody may be tried again. While many watch already it looks once.
     */
    awaitReports: async (input: {
      readonly accountId: string;
      readonly campaignId: string;
      readonly waitMs: number;
    }): Promise<boolean> => {
      const { cancellationSignal } = Context.current();
      const waitMs = watches.areEnough() ? 0 : input.waitMs;
      const started = performance.now();
      const end = watches.begin();
      try {
        for (;;) {
          const isOver = await withAccount(db, input.accountId, async (trx) => {
            const { awaited } = await openEndsOfCampaign(trx, input.campaignId);
            return awaited <= 0 || (await messagesWithRetries(trx, input.campaignId)).size > 0;
          });
          if (isOver) return true;
          if (performance.now() - started >= waitMs || cancellationSignal.aborted) return false;
          Context.current().heartbeat(activityInfo().attempt);
          await Context.current().sleep(lookEveryMs(watches.count()));
        }
      } finally {
        end();
      }
    },
  };
}

/** The activities as workflows see them. */
export type ReportActivities = ReturnType<typeof createReportActivities>;

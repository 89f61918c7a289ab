import { setMaxListeners } from 'node:events';
import { Context, heartbeat } from '@temporalio/activity';
import { type LaneDeps, type LaneReport, runLane, waitAfter } from '../domain/dispatch/lane.ts';
import { type Db, withAccount } from '../db/database.ts';
import { suspendCampaign } from '../db/suspend-campaign.ts';
import { campaignClock } from './campaign-clock.ts';

/** What lanes need. */
export interface LaneActivityDeps {
  readonly db: Db;
  readonly lane: LaneDeps;
  /** Virtual time is for tests and rehearsals and allowed with the sandbox carrier only. */
  readonly allowVirtualTime: boolean;
  /** How many lanes this worker can run; while all are taken each keeps its slot for a minute only. */
  readonly lanesAtOnceMax: number;
  /** How long one run of a lane may ask for leases; short runs let accounts take turns. */
  readonly laneBudgetMs?: number;
  /** Aborted when the worker is about to stop. */
  readonly draining: AbortSignal;
}

/** Ids, an instant and the clock to follow. */
export interface LaneInput {
  readonly accountId: string;
  readonly campaignId: string;
  readonly messageId: string;
  readonly lane: number;
  /** Campaign time in epoch milliseconds, read by the workflow when it ordered the lane. */
  readonly at: number;
  readonly time: 'real' | 'virtual';
}

/** Counts, why it ended, and how long to wait before the next lane (machine time). */
export interface LaneOutput {
  readonly ended: string;
  readonly accepted: number;
  readonly rejected: number;
  readonly notAccepted: number;
  readonly unknown: number;
  readonly skipped: number;
  readonly reachedAt: number;
  readonly waitMs: number;
}

const BUDGET_MS = 10 * 60_000;
const BUDGET_WHEN_CROWDED_MS = 60_000;
const HEARTBEAT_MS = 3_000;

/** The activity that texts people: it works through leases of one message for at most ten minutes. */
export function createLaneActivities(deps: LaneActivityDeps) {
  let running = 0;
  return {
    sendLane: async (input: LaneInput): Promise<LaneOutput> => {
      if (input.time === 'virtual' && !deps.allowVirtualTime) {
        throw new Error('Virtual time is allowed with the sandbox carrier only; set CARRIER=sandbox.');
      }
      running += 1;
      const campaignNow = campaignClock(input);
      const beat = setInterval(() => heartbeat(), HEARTBEAT_MS);
      const { cancellationSignal } = Context.current();
      // Each of its leases may wait for its turn, and Node takes more than ten who listen for a leak.
      setMaxListeners(0, cancellationSignal);
      try {
        const report = await runLane(deps.lane, {
          lane: input,
          askedAt: input.at,
          campaignNow,
          budgetMs:
            running >= deps.lanesAtOnceMax ? BUDGET_WHEN_CROWDED_MS : (deps.laneBudgetMs ?? BUDGET_MS),
          signal: cancellationSignal,
          draining: deps.draining,
        });
        if (report.end.kind === 'suspend') {
          const { cause, textMicroUsd } = report.end;
          await withAccount(deps.db, input.accountId, (trx) =>
            suspendCampaign(trx, input, cause, textMicroUsd),
          );
        }
        return outputOf(report, campaignNow());
      } finally {
        running -= 1;
        clearInterval(beat);
      }
    },
  };
}

/** The activities as workflows see them. */
export type LaneActivities = ReturnType<typeof createLaneActivities>;

function outputOf(report: LaneReport, reachedAt: number): LaneOutput {
  const { tally, end } = report;
  return {
    ended: end.kind,
    accepted: tally.accepted,
    rejected: tally.rejected,
    notAccepted: tally.not_accepted,
    unknown: tally.unknown,
    skipped: tally.skipped,
    reachedAt,
    waitMs: waitAfter(report),
  };
}

import type pg from 'pg';
import { type SigningKey, testCallbackUrl } from '../db/callback-url.ts';
import type { Db } from '../db/database.ts';
import { createPostgresUnknownStore } from '../db/reconcile/postgres-unknowns.ts';
import { ASKING_TIMES, type AskingTimes } from '../domain/carrier-list.ts';
import type { AtOnce } from '../domain/dispatch/at-once.ts';
import type { CrashHook } from '../domain/dispatch/crash-points.ts';
import { createSlots, REQUESTS_AT_ONCE_MAX } from '../domain/dispatch/slots.ts';
import { createCampaignActivities } from './campaign-activities.ts';
import type { Carriers } from './carriers.ts';
import { createCentralActivities } from './central-activities.ts';
import type { DispatchWatch } from './dispatch-watch.ts';
import { createImportActivities } from './import-contacts.ts';
import { createLaneActivities } from './lane-activities.ts';
import { createLaneDeps, mediaUrlOf } from './lane-deps.ts';
import { createTestSendActivities } from './test-send-activities.ts';
import { machineClock } from './machine-clock.ts';
import { createReportActivities } from './report-activities.ts';
import { createReportWatches } from './report-watches.ts';
import { createReconcileActivities } from './reconcile-activities.ts';

/** Everything that activities reach the world through, wired in the worker's composition root. */
export interface ActivityDeps {
  readonly db: Db;
  /** Plain connections for imports, each of which keeps one to its end. */
  readonly pool: pg.Pool;
  readonly hashKey: Buffer;
  readonly publicUrl: string;
  readonly signingKey: SigningKey;
  readonly carriers: Carriers;
  readonly watch: DispatchWatch;
  /** Room at the carriers, over all workers. */
  readonly atOnce: AtOnce;
  readonly crash: CrashHook;
  readonly allowVirtualTime: boolean;
  readonly lanesAtOnceMax: number;
  /** Starts a campaign's run, or wakes the one there is. */
  readonly wakeCampaign: (accountId: string, campaignId: string) => Promise<void>;
  /** Wakes the run that a campaign has. False when it has none. */
  readonly pokeCampaign: (campaignId: string) => Promise<boolean>;
  /** Ten minutes unless given. */
  readonly laneBudgetMs?: number;
  /** When the carrier's list is asked about unknown attempts; that of a real carrier unless given. */
  readonly askingTimes?: AskingTimes;
  /** Aborted when the worker is about to stop: lanes then end with the leases that they hold. */
  readonly draining: AbortSignal;
}

/** All activities of a worker. */
export function createActivities(deps: ActivityDeps) {
  const slots = createSlots(REQUESTS_AT_ONCE_MAX);
  const watches = createReportWatches();
  return {
    ...createReportActivities({ db: deps.db, watches }),
    ...createCampaignActivities({ ...deps, watches, machine: machineClock }),
    ...createCentralActivities(deps),
    ...createImportActivities(deps),
    ...createLaneActivities({
      db: deps.db,
      allowVirtualTime: deps.allowVirtualTime,
      lanesAtOnceMax: deps.lanesAtOnceMax,
      draining: deps.draining,
      ...(deps.laneBudgetMs === undefined ? {} : { laneBudgetMs: deps.laneBudgetMs }),
      lane: createLaneDeps(deps, slots),
    }),
    ...createReconcileActivities({
      db: deps.db,
      store: createPostgresUnknownStore(deps.db),
      list: deps.carriers.list,
      machine: machineClock,
      times: deps.askingTimes ?? ASKING_TIMES,
    }),
    ...createTestSendActivities({
      db: deps.db,
      crash: deps.crash,
      machine: machineClock,
      slots,
      atOnce: deps.atOnce,
      permission: deps.watch.permission,
      allowVirtualTime: deps.allowVirtualTime,
      post: (test) =>
        deps.carriers.send(test.carrierAccountId, {
          from: test.from,
          to: [test.to],
          text: test.text,
          mediaUrls: test.mediaTokens.map(mediaUrlOf(deps)),
          callbackUrl: testCallbackUrl(deps.publicUrl, deps.signingKey, test.accountId, test.key),
        }),
    }),
  };
}

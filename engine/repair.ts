import type pg from 'pg';
import { liveCampaignIds } from '../db/accounts.ts';
import { resolveQuietRefusals } from '../db/callback-refusals.ts';
import { watchCarrierTroubles } from '../db/carrier-alerts.ts';
import { type Db, withAccount } from '../db/database.ts';
import { closeLeftOpen } from '../db/dispatch/left-open.ts';
import { forgetEvents, numberEvents } from '../db/events.ts';
import { watchRegistrations } from '../db/registration-alerts.ts';
import { foldRollups, forgetIdempotencyKeys, importsToRun, underRepairLock } from '../db/repair.ts';
import { holdsToWake, wakeAfterHold } from '../db/wake-after-hold.ts';
import { carriersToAsk } from '../db/reconcile/unknowns.ts';
import { testSendsToRun } from '../db/test-sends/test-sends.ts';
import { sweepMedia } from '../db/sweep-media.ts';
import { eachApart } from './each-apart.ts';
import { repairCentrals, tellSlicesInTurn } from './repair-centrals.ts';
import { createCampaignRepair } from './repair-campaigns.ts';
import type { WorkflowClient } from './workflow-client.ts';

/** What repair needs. */
export interface RepairDeps {
  readonly db: Db;
  readonly pool: pg.Pool;
  readonly workflows: WorkflowClient;
  /** Makes sure of the namespace and its search attributes again, in case the engine has lost its data. */
  readonly registerNamespace: () => Promise<void>;
  readonly onError: (error: unknown) => void;
  /** Epoch milliseconds of the machine; what decides whether a sender's registration is near its end. */
  readonly now: () => number;
}

const REPAIR_INTERVAL_MS = 30_000;
const FOLD_INTERVAL_MS = 5_000;
const SWEEP_INTERVAL_MS = 10 * 60_000;
const RUNS_MAX = 20_000;
const FOLD_ROWS = 20_000;

/**
 * Starts the run of every campaign and import whose row says that it should have one and wakes
 * those with an action that nobody has answered, and those that waited for a hold which was lifted. It reads PostgreSQL only, so it makes good the loss of everything the engine knows.
 */
async function repairOnce(deps: RepairDeps, repairCampaigns: () => Promise<void>): Promise<void> {
  const { db, pool, workflows, registerNamespace, onError, now } = deps;
  /** In turn: nothing here is in a hurry, and a hold may wake thousands. */
  const each = <Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> =>
    eachApart(items, 1, work, onError);
  const inEngine: readonly (() => Promise<unknown>)[] = [
    () => repairCentrals(deps),
    repairCampaigns,
    async () =>
      each(await holdsToWake(db, RUNS_MAX), (hold) => wakeAfterHold(db, hold, workflows.wakeCampaign)),
    async () =>
      each(await importsToRun(db, RUNS_MAX), ({ id, accountId }) => workflows.startImport(accountId, id)),
    async () =>
      each(await watchRegistrations(db, now(), RUNS_MAX), async (accountId) => {
        const live = await withAccount(db, accountId, (trx) => liveCampaignIds(trx));
        await each(live, (id) => workflows.wakeCampaign(accountId, id));
      }),
    async () =>
      each(await testSendsToRun(db, RUNS_MAX), ({ id, accountId }) => workflows.startTestSend(accountId, id)),
    async () => each(await carriersToAsk(db, now()), (id) => workflows.wakeReconcile(id)),
  ];
  const inDatabase: readonly (() => Promise<unknown>)[] = [
    () => watchCarrierTroubles(db),
    () => resolveQuietRefusals(db),
    () => closeLeftOpen(db, RUNS_MAX),
    () => forgetIdempotencyKeys(db),
    () => forgetEvents(db),
  ];
  // What fails in one of them is no reason to leave out the others.
  const makeAll = async (steps: typeof inEngine): Promise<void> => {
    for (const step of steps) await step().catch(onError);
  };
  await underRepairLock(pool, async () => {
    await makeAll(inDatabase);
    // Where the engine cannot be had, nothing can be asked of it.
    await registerNamespace();
    await makeAll(inEngine);
  });
}

/**
 * Repairs at once and every 30 s, or as often as it gets done, folds rollups, and removes media that nobody uses. Resolves
 * with how to stop it.
 */
export function startRepair(deps: RepairDeps): { stop: () => Promise<void> } {
  let isStopped = false;
  let repairing = Promise.resolve();
  let folding = Promise.resolve();
  let sweeping = Promise.resolve();
  let isRepairing = false;
  const repairCampaigns = createCampaignRepair({ ...deps, isStopped: () => isStopped });
  const repair = (): void => {
    if (isRepairing) return;
    isRepairing = true;
    repairing = repairOnce(deps, repairCampaigns)
      .catch(deps.onError)
      .finally(() => {
        isRepairing = false;
      });
  };
  const fold = (): void => {
    folding = folding.then(() => foldAll(deps, () => isStopped)).catch(deps.onError);
  };
  const sweep = (): void => {
    sweeping = sweeping
      .then(() => sweepMedia(deps.db))
      .then(() => undefined)
      .catch(deps.onError);
  };
  repair();
  const timers = [
    setInterval(repair, REPAIR_INTERVAL_MS),
    setInterval(fold, FOLD_INTERVAL_MS),
    setInterval(sweep, SWEEP_INTERVAL_MS),
  ];
  return {
    stop: async () => {
      isStopped = true;
      for (const timer of timers) clearInterval(timer);
      await Promise.all([repairing, folding, sweeping]);
    },
  };
}

async function foldAll(deps: RepairDeps, isStopped: () => boolean): Promise<void> {
  while (!isStopped() && (await foldRollups(deps.db, FOLD_ROWS)) === FOLD_ROWS);
  // While somebody listens the API does it; otherwise what has happened would wait for its number for ever.
  await numberEvents(deps.db);
  await tellSlicesInTurn(deps);
}

import { centralsToTell, noteCentralNews, noteCentralsTold } from '../db/central/tell-centrals.ts';
import type { Db } from '../db/database.ts';
import { centralsToRun, slicesToLook } from '../db/repair.ts';
import { takeTurn } from '../db/take-turn.ts';
import { eachApart } from './each-apart.ts';
import type { WorkflowClient } from './workflow-client.ts';

/** What repairing central campaigns needs. */
interface CentralRepairDeps {
  readonly db: Db;
  readonly workflows: Pick<WorkflowClient, 'ensureCentral' | 'wakeCentral' | 'pokeCentral' | 'lookAtSlice'>;
  readonly onError: (error: unknown) => void;
}

const PAGE = 1_000;
const SLICES_MAX = 1_000;
const CENTRALS_MAX = 1_000;
const AT_ONCE_MAX = 16;

/**
 * Gives every central campaign the run that it should have, and wakes those with an action that nobody has answered. A
 * run that was started anew starts its slices, and these every part that is not over.
 */
export async function repairCentrals({ db, workflows, onError }: CentralRepairDeps): Promise<void> {
  for (let page = await centralsToRun(db, '', PAGE); page.length > 0;) {
    await eachApart(
      page,
      AT_ONCE_MAX,
      ({ id, accountId, hasWaitingAction }) =>
        hasWaitingAction ? workflows.wakeCentral(accountId, id) : workflows.ensureCentral(accountId, id),
      onError,
    );
    page = page.length < PAGE ? [] : await centralsToRun(db, page.at(-1)?.id ?? '', PAGE);
  }
}

/** How often slices are told, over all workers; what is told once more is an event of a slice's history. */
const TELL_INTERVAL_MS = 5_000;

/** Tells slices if no other worker has just now. */
export async function tellSlicesInTurn(deps: CentralRepairDeps): Promise<void> {
  if (await takeTurn(deps.db, 'tell slices', TELL_INTERVAL_MS)) await tellSlices(deps);
}

/**
 * Has slices look whose parts' states have changed, or of whose parts a run is missing; where one has no run itself its
 * central campaign sees to it. Central campaigns are told as well, so that they show how their parts stand.
 */
export async function tellSlices(deps: CentralRepairDeps): Promise<void> {
  const { db, workflows, onError } = deps;
  const without = new Map<string, string>();
  const slices = await slicesToLook(db, SLICES_MAX);
  // Before the slices look, after which nothing tells any more that there were news.
  await noteCentralNews(db, [...new Set(slices.map(({ campaignId }) => campaignId))]);
  const look = async ({ accountId, campaignId, slice }: (typeof slices)[number]): Promise<void> => {
    if (!(await workflows.lookAtSlice(campaignId, slice))) without.set(campaignId, accountId);
  };
  await eachApart(slices, AT_ONCE_MAX, look, onError);
  const wake = ([campaignId, accountId]: readonly [string, string]) =>
    workflows.wakeCentral(accountId, campaignId);
  await eachApart(without, AT_ONCE_MAX, wake, onError);
  await tellCentrals(deps);
}

/** One without a run needs no word: its next run counts its parts by itself. */
async function tellCentrals({ db, workflows, onError }: CentralRepairDeps): Promise<void> {
  const centrals = await centralsToTell(db, CENTRALS_MAX);
  const told: string[] = [];
  const tell = async (campaignId: string): Promise<void> => {
    await workflows.pokeCentral(campaignId);
    told.push(campaignId);
  };
  try {
    await eachApart(centrals.campaignIds, AT_ONCE_MAX, tell, onError);
  } finally {
    await noteCentralsTold(db, { ...centrals, campaignIds: told });
  }
}

import { type CampaignToRun, campaignsToRun, noteMissingRuns } from '../db/repair.ts';
import type { Db } from '../db/database.ts';
import { eachApart } from './each-apart.ts';
import type { WorkflowClient } from './workflow-client.ts';

/** What repairing campaigns needs. */
export interface CampaignRepairDeps {
  readonly db: Db;
  readonly workflows: Pick<
    WorkflowClient,
    'ensureCampaign' | 'hasRun' | 'pokeCampaign' | 'runningCampaigns' | 'wakeCampaign'
  >;
  readonly onError: (error: unknown) => void;
  /** Whoever stops waits for no more than what is under way. */
  readonly isStopped: () => boolean;
}

/** How much of it is done at a time. */
export interface CampaignRepairSizes {
  /** Campaigns that are read at a time. */
  readonly page: number;
  /** So many in each round are made sure of whatever the engine's list says: it follows the engine, and may lie. */
  readonly doubtedMax: number;
}

const SIZES: CampaignRepairSizes = { page: 1_000, doubtedMax: 100 };
const AT_ONCE_MAX = 16;

/**
 * Makes a round that gives every campaign the run that it should have, and wakes those with an action that nobody has
 * answered. The engine lists who runs, a thousand an answer; to ask it for each of ten thousand sleeping campaigns took
 * longer than the time from one round to the next. Of a part of a central campaign it only notes that its run is missing:
 * its slice starts it.
 */
export function createCampaignRepair(
  deps: CampaignRepairDeps,
  { page: pageSize, doubtedMax } = SIZES,
): () => Promise<void> {
  const { db, isStopped, onError } = deps;
  /** The last one that was doubted. */
  let doubtedUpTo = '';

  return async () => {
    const isRunning = await whoRuns(deps);
    let doubted = 0;
    const isDoubted = ({ id }: CampaignToRun): boolean => {
      if (id <= doubtedUpTo || doubted === doubtedMax) return false;
      doubted += 1;
      doubtedUpTo = id;
      return true;
    };
    for (let page = await campaignsToRun(db, '', pageSize); page.length > 0 && !isStopped();) {
      const wanted = page.filter((one) => one.hasWaitingAction || isDoubted(one) || !isRunning(one.id));
      const missing: string[] = [];
      const repairIt = async (one: CampaignToRun): Promise<void> => {
        if (isStopped()) return;
        if (!(await repairOne(deps, one))) missing.push(one.id);
      };
      await eachApart(wanted, AT_ONCE_MAX, repairIt, onError);
      await noteMissingRuns(db, missing);
      page = page.length < pageSize ? [] : await campaignsToRun(db, page.at(-1)?.id ?? '', pageSize);
    }
    if (doubted < doubtedMax) doubtedUpTo = '';
  };
}

/** Gives one campaign its run, or wakes the one it has. False when it has none and its slice is to start it. */
async function repairOne({ workflows }: CampaignRepairDeps, campaign: CampaignToRun): Promise<boolean> {
  const { id, accountId, hasWaitingAction, startsBySlice } = campaign;
  if (startsBySlice) return hasWaitingAction ? workflows.pokeCampaign(id) : workflows.hasRun(id);
  await (hasWaitingAction ? workflows.wakeCampaign(accountId, id) : workflows.ensureCampaign(accountId, id));
  return true;
}

/** An engine that cannot list its runs is asked for each. */
async function whoRuns({ workflows, onError }: CampaignRepairDeps): Promise<(campaignId: string) => boolean> {
  try {
    return await workflows.runningCampaigns();
  } catch (error) {
    onError(error);
    return () => false;
  }
}

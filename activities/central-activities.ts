import { Context } from '@temporalio/activity';
import { endWakes, wakesOf } from '../db/central/apply-central-actions.ts';
import type { CentralPlan, CentralStepInput } from '../db/central/central-plan.ts';
import { type CarryOut, carryOutForSlice } from '../db/central/carry-out.ts';
import { type MadePart, makeParts, type SliceRef } from '../db/central/make-parts.ts';
import { noteStarted, type StartedParts } from '../db/central/note-runs.ts';
import { openParts, pageOfOpenParts } from '../db/central/open-parts.ts';
import { readSlice, type SliceStanding } from '../db/central/read-slice.ts';
import { stepCentral } from '../db/central/step-central.ts';
import { type Db, withAccount } from '../db/database.ts';
import { noteMissingRuns } from '../db/repair.ts';

/** What the activities of central campaigns need. */
export interface CentralActivityDeps {
  readonly db: Db;
  /** Starts a campaign's run, or wakes the one there is. */
  readonly wakeCampaign: (accountId: string, campaignId: string) => Promise<void>;
  /** Wakes the run that a campaign has. False when it has none. */
  readonly pokeCampaign: (campaignId: string) => Promise<boolean>;
}

interface CentralRef {
  /** The parent. */
  readonly accountId: string;
  readonly campaignId: string;
}

const BEAT_MS = 5_000;
const PARTS_AT_ONCE = 500;

/** The activities by which a central campaign and its slices read and move their rows. */
export function createCentralActivities({ db, wakeCampaign, pokeCampaign }: CentralActivityDeps) {
  return {
    stepCentral: (input: CentralStepInput): Promise<CentralPlan> =>
      withAccount(db, input.accountId, (trx) => stepCentral(trx, input)),

    makeParts: (input: SliceRef): Promise<MadePart[]> =>
      withAccount(db, input.accountId, (trx) => makeParts(trx, input)),

    readSlice: (input: SliceRef): Promise<SliceStanding> =>
      withAccount(db, input.accountId, (trx) => readSlice(trx, input)),

    readMissing: (input: SliceRef): Promise<MadePart[]> =>
      withAccount(db, input.accountId, (trx) => openParts(trx, input, 'missing')),

    noteStarted: (input: StartedParts): Promise<void> =>
      withAccount(db, input.accountId, (trx) => noteStarted(trx, input)),

    carryOutForSlice: (input: CarryOut): Promise<{ parts: number }> =>
      beating(async () => ({
        parts: await carryOutForSlice(db, input, {
          wake: (part) => wakeCampaign(part.subAccountId, part.campaignId),
          poke: (part) => pokeCampaign(part.campaignId),
        }),
      })),

    wakeParts: (input: CentralRef): Promise<{ parts: number }> =>
      beating(async () => {
        // What is ordered meanwhile is woken for by the next one.
        const wakes = await withAccount(db, input.accountId, (trx) => wakesOf(trx, input.campaignId));
        let woken = 0;
        let after = -1;
        for (;;) {
          const page = await withAccount(db, input.accountId, (trx) =>
            pageOfOpenParts(trx, input.campaignId, after, PARTS_AT_ONCE),
          );
          const missing: string[] = [];
          for (const part of page) {
            if (!(await pokeCampaign(part.campaignId))) missing.push(part.campaignId);
          }
          await noteMissingRuns(db, missing);
          woken += page.length;
          after = page.at(-1)?.number ?? after;
          if (page.length < PARTS_AT_ONCE) break;
        }
        await withAccount(db, input.accountId, (trx) => endWakes(trx, wakes));
        return { parts: woken };
      }),
  };
}

/** The activities as workflows see them. */
export type CentralActivities = ReturnType<typeof createCentralActivities>;

async function beating<Result>(work: () => Promise<Result>): Promise<Result> {
  const beat = setInterval(() => Context.current().heartbeat(), BEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(beat);
  }
}

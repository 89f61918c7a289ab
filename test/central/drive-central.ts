import { orderAction } from '../../db/campaign-orders.ts';
import type { ActionAnswer } from '../../db/campaign-step/action-rows.ts';
import { stepCampaign } from '../../db/campaign-step/step-campaign.ts';
import { lockCampaign } from '../../db/campaigns.ts';
import { endWakes, wakesOf } from '../../db/central/apply-central-actions.ts';
import { carryOutForSlice, type PartRuns } from '../../db/central/carry-out.ts';
import type { CentralPlan, SliceOrder } from '../../db/central/central-plan.ts';
import { makeParts, type MadePart } from '../../db/central/make-parts.ts';
import { stepCentral } from '../../db/central/step-central.ts';
import { type Db, type Trx, withAccount } from '../../db/database.ts';
import type { NewSchedules, OrderResult } from '../../db/order-rows.ts';
import { prepareCampaign } from '../../db/prepare-campaign.ts';
import type { CampaignActionName } from '../../domain/campaign-actions.ts';
import { type SeededParent, seedCentral } from '../support/seed-central.ts';

/** A central campaign that a test carries on step by step, in the database alone. */
export interface DrivenCentral {
  readonly campaignId: string;
  readonly messageIds: readonly string[];
  readonly inParent: <Result>(work: (trx: Trx) => Promise<Result>) => Promise<Result>;
  /** Orders an action; throws where its status does not allow it. */
  readonly order: (
    name: CampaignActionName,
    at: number,
    args?: Record<string, unknown>,
    schedules?: NewSchedules,
  ) => Promise<Extract<OrderResult, { kind: 'ordered' }>>;
  /** One step of its workflow, with the answers to these actions. */
  readonly step: (at: number, asked?: readonly string[]) => Promise<CentralPlan>;
  /** Carries an order out in one slice, as the activity does. */
  readonly carryOut: (order: SliceOrder, at: number, runs?: PartRuns) => Promise<number>;
  /** Steps until nothing is left to do at once; makes no parts. Resolves with the answers to these actions. */
  readonly goOn: (at: number, asked?: readonly string[]) => Promise<readonly ActionAnswer[]>;
  readonly makeParts: (slice?: number) => Promise<MadePart[]>;
  /** The states of its parts by their numbers. */
  readonly states: () => Promise<string[]>;
}

const NO_RUNS: PartRuns = { wake: () => Promise.resolve(), poke: () => Promise.resolve() };
/** More would be a workflow that comes to no end. */
const STEPS_MAX = 100;

/** Launches a central campaign of the preset and hands out what moves it. */
export async function driveCentral(
  db: Db,
  seeded: SeededParent,
  launch: Parameters<typeof seedCentral>[2],
): Promise<DrivenCentral> {
  const { parent } = seeded;
  const { accountId } = parent;
  const { campaignId, messageIds } = await seedCentral(db, seeded, launch);
  const inParent: DrivenCentral['inParent'] = (work) => withAccount(db, accountId, work);
  const step: DrivenCentral['step'] = (at, asked = []) =>
    inParent((trx) =>
      stepCentral(trx, { accountId, campaignId, at, running: [], handing: 0, signals: [], asked }),
    );
  const carryOut: DrivenCentral['carryOut'] = (order, at, runs = NO_RUNS) =>
    carryOutForSlice(db, { ...order, accountId, campaignId, at }, runs);
  return {
    campaignId,
    messageIds,
    inParent,
    step,
    carryOut,
    goOn: async (at, asked = []) => {
      for (let steps = 0; steps < STEPS_MAX; steps += 1) {
        const plan = await step(at, asked);
        if (plan.kind === 'prepare') {
          await inParent((trx) => prepareCampaign(trx, { accountId, campaignId, at }));
        } else if (plan.kind === 'wake') {
          await inParent(async (trx) => endWakes(trx, await wakesOf(trx, campaignId)));
        } else if (plan.kind === 'fan_out') {
          for (const order of plan.orders) await carryOut(order, at);
        } else {
          return plan.answers;
        }
      }
      throw new Error('It comes to no end.');
    },
    makeParts: (slice = 0) => inParent((trx) => makeParts(trx, { accountId, campaignId, slice })),
    states: async () => {
      const rows = await inParent((trx) =>
        trx
          .selectFrom('central_parts')
          .where('central_id', '=', campaignId)
          .select('state')
          .orderBy('number')
          .execute(),
      );
      return rows.map(({ state }) => state);
    },
    order: async (name, at, args = {}, schedules) => {
      const result = await inParent(async (trx) => {
        const campaign = await lockCampaign(trx, campaignId);
        if (campaign === null) throw new Error('The campaign is gone.');
        return orderAction(trx, { campaign, name, args, actor: parent.actor, at }, schedules);
      });
      if (result.kind === 'refused') throw new Error(result.reason);
      return result;
    },
  };
}

/** The schedules of a restart as its order and its arguments have them. */
export function restartOf(messageId: string, schedule: { readonly local: string; readonly zone: string }) {
  return {
    args: { messages: [{ messageId, ...schedule }] },
    schedules: new Map([[messageId, schedule]]),
  };
}

/** Prepares a part while this phrase is on the list of those that are refused. */
export async function refusePart(
  db: Db,
  { campaignId, subAccountId: accountId }: MadePart,
  phrase: string,
  at: number,
): Promise<void> {
  const row = { id: 'phr_refused', phrase, reason: 'It is a test.', effective_from: '2020-01-01' };
  await db.insertInto('refused_phrases').values(row).execute();
  await withAccount(db, accountId, (trx) => prepareCampaign(trx, { accountId, campaignId, at }));
  await db.deleteFrom('refused_phrases').where('id', '=', row.id).execute();
}

/** One step of the workflow of a part, which is prepared where that is next. */
export async function stepPart(
  db: Db,
  { campaignId, subAccountId: accountId }: MadePart,
  at: number,
): Promise<void> {
  const step = { accountId, campaignId, at, running: [], poked: false, signals: [], asked: [] };
  const plan = await withAccount(db, accountId, (trx) => stepCampaign(trx, step));
  if (plan.kind !== 'prepare') return;
  await withAccount(db, accountId, (trx) => prepareCampaign(trx, { accountId, campaignId, at }));
}

import { orderAction } from '../../db/campaign-orders.ts';
import type { NewSchedules } from '../../db/order-rows.ts';
import { lockCampaign } from '../../db/campaigns.ts';
import { listParts, type ListedPart } from '../../db/central/list-parts.ts';
import { retryPart, type RetryResult } from '../../db/central/retry-part.ts';
import type { MessageOrder } from '../../db/campaign-step/message-orders.ts';
import { type Trx, withAccount } from '../../db/database.ts';
import { tellSlices } from '../../engine/repair-centrals.ts';
import { createWorkflowClient } from '../../engine/workflow-client.ts';
import type { CampaignActionName } from '../../domain/campaign-actions.ts';
import { type SeededParent, seedCentral, seedParent } from '../support/seed-central.ts';
import type { SeedOptions } from '../support/seed.ts';
import type { TimeMode } from '../../workflows/contract.ts';
import type { WorkflowWorld } from './workflow-world.ts';

/** A central campaign of a world, with what a test does to it and reads of it. */
export interface CentralUnderTest extends SeededParent {
  readonly campaignId: string;
  readonly messageIds: readonly string[];
  readonly order: (
    name: CampaignActionName,
    args?: Record<string, unknown>,
    schedules?: NewSchedules,
  ) => Promise<{ state: string; reason: string | null }>;
  /** Has the slices look, as repair does every few seconds. */
  readonly look: () => Promise<void>;
  readonly status: () => Promise<string>;
  /** Its parts as the parent sees them, in the order of their accounts' names. */
  readonly parts: () => Promise<ListedPart[]>;
  /** The states of its parts, and their reasons where they have one. */
  readonly states: () => Promise<string[]>;
  /** The status of the campaign of the part at this index. */
  readonly statusOfPart: (index: number) => Promise<string>;
  /** Does something in the account of the part at this index. */
  readonly inPart: <Result>(
    index: number,
    work: (trx: Trx, campaignId: string) => Promise<Result>,
  ) => Promise<Result>;
}

/** What a test does between the launch and the workflow's first step, and by which clock that runs; virtual unless given. */
export interface CentralWays {
  readonly beforeRun?: (campaignId: string, seeded: SeededParent) => Promise<unknown>;
  readonly time?: TimeMode;
}

/** Seeds a parent with a sub-account for each of these, launches a central campaign and wakes its workflow. */
export async function launchCentral(
  world: WorkflowWorld,
  children: readonly SeedOptions[],
  launch: Omit<Parameters<typeof seedCentral>[2], 'at'>,
  before: (seeded: SeededParent) => Promise<unknown> = () => Promise.resolve(),
  { beforeRun, time = 'virtual' }: CentralWays = {},
): Promise<CentralUnderTest> {
  const seeded = await seedParent(world.db, children);
  await before(seeded);
  const { campaignId, messageIds } = await seedCentral(world.db, seeded, {
    ...launch,
    at: await world.now(),
  });
  const { parent } = seeded;
  await beforeRun?.(campaignId, seeded);
  const workflows = createWorkflowClient(world.client, time);
  await workflows.wakeCentral(parent.accountId, campaignId);
  const inside = <Result>(work: (trx: Trx) => Promise<Result>): Promise<Result> =>
    withAccount(world.db, parent.accountId, work);
  const parts = async (): Promise<ListedPart[]> =>
    (await inside((trx) => listParts(trx, campaignId, { offset: 0, limit: 1_000 }))).items;
  const inPart = async <Result>(
    index: number,
    work: (trx: Trx, campaignId: string) => Promise<Result>,
  ): Promise<Result> => {
    const part = (await parts())[index];
    if (part === undefined || part.campaignId === null) throw new Error(`There is no part ${index} yet.`);
    const { accountId, campaignId: own } = part;
    return withAccount(world.db, accountId, (trx) => work(trx, own));
  };
  return {
    ...seeded,
    campaignId,
    messageIds,
    parts,
    inPart,
    look: () =>
      tellSlices({
        db: world.db,
        workflows,
        onError: (error) => {
          throw error;
        },
      }),
    states: async () =>
      (await parts()).map(({ state, reason }) => (reason === null ? state : `${state} ${reason}`)),
    status: async () => {
      const campaign = await inside((trx) => lockCampaign(trx, campaignId));
      return campaign?.status ?? 'gone';
    },
    statusOfPart: (index) =>
      inPart(index, async (trx, id) => (await lockCampaign(trx, id))?.status ?? 'gone'),
    order: async (name, args = {}, schedules) => {
      const at = await world.now();
      const ordered = await inside(async (trx) => {
        const locked = await lockCampaign(trx, campaignId);
        if (locked === null) throw new Error('The campaign is gone.');
        return orderAction(trx, { campaign: locked, name, args, actor: parent.actor, at }, schedules);
      });
      if (ordered.kind === 'refused') return { state: 'refused', reason: ordered.reason };
      if (ordered.state === 'applied') return { state: 'applied', reason: null };
      const { accountId } = parent;
      const reply = await workflows.applyCentralAction(accountId, campaignId, ordered.actionId);
      return reply ?? { state: 'requested', reason: null };
    },
  };
}

/** Has the part at this index tried again, as the parent's route does. */
export async function tryAgain(
  world: WorkflowWorld,
  { campaignId, children, parent }: CentralUnderTest,
  index: number,
  overdue: readonly MessageOrder[] = [],
): Promise<RetryResult> {
  const { accountId, actor } = parent;
  const subAccountId = children[index]?.accountId ?? '';
  const at = await world.now();
  const result = await withAccount(world.db, accountId, (trx) =>
    retryPart(trx, { accountId, campaignId, subAccountId, actor, at, overdue }),
  );
  if (result.kind === 'resumed') {
    await world.workflows.applyAction(subAccountId, result.partId, result.actionId);
  }
  return result;
}

/** Puts a phrase on the list of those that are refused. Resolves with how to withdraw it. */
export async function refusePhrase({ db }: WorkflowWorld, phrase: string): Promise<() => Promise<unknown>> {
  const id = `phr_${phrase.replaceAll(/\W/g, '')}`;
  const row = { id, phrase, reason: 'It is a test.', effective_from: '2020-01-01' };
  await db.insertInto('refused_phrases').values(row).execute();
  return () => db.deleteFrom('refused_phrases').where('id', '=', id).execute();
}

/**
 * Has the content of the whole and of the part at this index pass, as if a phrase had come to the list when they had been
 * looked at already.
 */
export async function letPass(
  { db }: WorkflowWorld,
  { campaignId, inPart, parent }: CentralUnderTest,
  index: number,
): Promise<void> {
  const pass = { content_overruled_by: 'a test' };
  const change = (trx: Trx, id: string) =>
    trx.updateTable('campaigns').set(pass).where('id', '=', id).execute();
  await withAccount(db, parent.accountId, (trx) => change(trx, campaignId));
  await inPart(index, change);
}

/** How many texts each branch has sent, by what it calls itself in them. */
export function sentByBranch(world: WorkflowWorld): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { text } of world.texts) {
    const branch = branchOf(text);
    counts[branch] = (counts[branch] ?? 0) + 1;
  }
  return counts;
}

/** Whose text it is. */
export function branchOf(text: string): string {
  return /Branch \d+/.exec(text)?.[0] ?? 'nobody';
}

/** Lets the parts come to their end, and the slices hear of it. */
export async function settle(world: WorkflowWorld, central: CentralUnderTest): Promise<void> {
  await world.pass(20 * 60_000);
  await central.look();
  await world.pass(60_000);
}

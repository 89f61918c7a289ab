import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { createActivities } from '../../activities/index.ts';
import { watchDispatch } from '../../activities/dispatch-watch.ts';
import type { ListRequest, ListResult, SendRequest, SendResult } from '../../carrier/carrier.ts';
import { orderAction } from '../../db/campaign-orders.ts';
import type { NewSchedules } from '../../db/order-rows.ts';
import { type Campaign, findCampaign, lockCampaign } from '../../db/campaigns.ts';
import { type Db, openDatabase, openPool, type Trx, withAccount } from '../../db/database.ts';
import { listMessages, type Message } from '../../db/messages.ts';
import { readReports } from '../../db/reports.ts';
import type { CarrierStanding } from '../../domain/carrier-standing.ts';
import type { CampaignActionName } from '../../domain/campaign-actions.ts';
import { UNLIMITED } from '../../domain/dispatch/at-once.ts';
import { type CrashHook, noCrash } from '../../domain/dispatch/crash-points.ts';
import { type MessageReport, sumReports } from '../../domain/report.ts';
import { createWorkflowClient, type WorkflowClient } from '../../engine/workflow-client.ts';
import {
  campaignWorkflowId,
  importWorkflowId,
  messageWorkflowId,
  reconcileWorkflowId,
  testSendWorkflowId,
  CONTROL_QUEUE,
  DISPATCH_QUEUE,
  SEARCH_ATTRIBUTES,
} from '../../workflows/contract.ts';
import { prepareImport } from '../imports/import-world.ts';
import { seedAccount, seedCampaign, type SeededAccount, type SeedOptions } from '../support/seed.ts';
import { createTestDatabase } from '../support/test-database.ts';

/** What the engine keeps of a run. */
export type History = Awaited<
  ReturnType<ReturnType<TestWorkflowEnvironment['client']['workflow']['getHandle']>['fetchHistory']>
>;

/** A text that the carrier of a workflow test has taken. */
export interface Text {
  readonly to: string;
  readonly text: string;
  /** Campaign time, as the workflow's clock stands. */
  readonly at: number;
}

/** Everything a workflow test steers: a database, workers on skipped time, and a carrier that it scripts. */
export interface WorkflowWorld {
  readonly db: Db;
  readonly workflows: WorkflowClient;
  readonly texts: Text[];
  /** Set by a test to answer otherwise than `accepted`. */
  answer: (request: SendRequest) => SendResult | Promise<SendResult>;
  /** Set by a test to show texts in the carrier's list; it is empty otherwise. */
  list: (request: ListRequest) => ListResult;
  /** Set by a test to have the carrier say otherwise of its account than that all is well. */
  account: () => CarrierStanding;
  readonly now: () => Promise<number>;
  /** Lets campaign time pass. */
  readonly pass: (ms: number) => Promise<void>;
  readonly passUntil: (at: number) => Promise<void>;
  /** Sends a signal as Temporal's UI does. */
  readonly signal: (campaignId: string, name: string, args?: unknown) => Promise<void>;
  /** The engine's own client. */
  readonly client: TestWorkflowEnvironment['client'];
  /** The history of a workflow of the campaign, or of one of its messages by position. */
  readonly history: (campaignId: string, position?: number) => Promise<History>;
  /** The history of whatever workflow has this id. */
  readonly historyOf: (workflowId: string) => Promise<History>;
  /** Makes an import of this file, ready to run. */
  readonly prepareImport: (accountId: string, file: string) => Promise<string>;
  /** The history of an import once it has ended. */
  readonly importHistory: (importId: string) => Promise<History>;
  /** The history of a message on trial once it has ended. */
  readonly testSendHistory: (testId: string) => Promise<History>;
  /** The history of what resolves a carrier account's unknown attempts. */
  readonly reconcileHistory: (carrierAccountId: string) => Promise<History>;
  /** Ends the worker that runs workflows and starts one with this code, as a deploy does. */
  readonly deploy: (workflowBundle: WorkflowBundleWithSourceMap) => Promise<void>;
  readonly close: () => Promise<void>;
}

interface RunningWorker {
  readonly worker: Worker;
  readonly running: Promise<void>;
}

/** Builds the world of a test file on its own time-skipping server. */
export async function createWorkflowWorld(
  env: TestWorkflowEnvironment,
  workflowBundle: WorkflowBundleWithSourceMap,
  options: {
    readonly crash?: CrashHook;
    readonly laneBudgetMs?: number;
    /** False where workers are replaced: this server would wait for ever for one that kept a workflow in memory. */
    readonly keepsWorkflows?: boolean;
  } = {},
): Promise<WorkflowWorld> {
  const database = await createTestDatabase();
  const pool = openPool({ connectionString: database.url, connectionsMax: 20, role: 'carillon_app' });
  const db = openDatabase(pool);
  const watch = await watchDispatch(pool, () => undefined);
  await registerSearchAttributes(env);
  const texts: Text[] = [];
  const now = (): Promise<number> => env.currentTimeMs();
  const world: Pick<WorkflowWorld, 'answer' | 'list' | 'account'> = {
    list: () => ({ kind: 'listed', texts: [], isLast: true }),
    answer: () => ({ kind: 'accepted', uuids: ['uuid'], invalidNumbers: [] }),
    account: () => ({ kind: 'told', creditMicroUsd: null, isEnabled: true }),
  };
  const workflows = createWorkflowClient(env.client, 'virtual');
  const activities = createActivities({
    db,
    pool,
    hashKey: Buffer.alloc(32, 1),
    publicUrl: 'http://127.0.0.1',
    signingKey: { id: 'k1', secret: Buffer.alloc(32, 2) },
    watch,
    atOnce: UNLIMITED,
    crash: options.crash ?? noCrash,
    allowVirtualTime: true,
    lanesAtOnceMax: 100,
    wakeCampaign: workflows.wakeCampaign,
    pokeCampaign: workflows.pokeCampaign,
    draining: new AbortController().signal,
    ...(options.laneBudgetMs === undefined ? {} : { laneBudgetMs: options.laneBudgetMs }),
    carriers: {
      prepare: () => Promise.resolve(),
      send: async (_carrierAccountId, request) => {
        const answer = await world.answer(request);
        const at = await now();
        if (answer.kind === 'accepted') {
          texts.push(...request.to.map((to) => ({ to, text: request.text, at })));
        }
        return answer;
      },
      list: (_carrierAccountId, request) => Promise.resolve(world.list(request)),
      account: () => Promise.resolve(world.account()),
      close: () => Promise.resolve(),
    },
  });
  const common = { connection: env.nativeConnection, activities };
  const runControl = async (code: WorkflowBundleWithSourceMap): Promise<RunningWorker> => {
    const worker = await Worker.create({
      ...common,
      taskQueue: CONTROL_QUEUE,
      workflowBundle: code,
      ...(options.keepsWorkflows === false ? { maxCachedWorkflows: 0 } : {}),
    });
    return { worker, running: worker.run() };
  };
  let control = await runControl(workflowBundle);
  const dispatch = await Worker.create({ ...common, taskQueue: DISPATCH_QUEUE });
  const dispatching = dispatch.run();

  return Object.assign(world, {
    db,
    texts,
    now,
    workflows,
    client: env.client,
    pass: (ms: number) => env.sleep(ms),
    passUntil: async (at: number) => {
      const left = at - (await now());
      if (left > 0) await env.sleep(left);
    },
    signal: async (campaignId: string, name: string, args?: unknown) => {
      const handle = env.client.workflow.getHandle(campaignWorkflowId(campaignId));
      await handle.signal(name, ...(args === undefined ? [] : [args]));
    },
    history: (campaignId: string, position?: number) =>
      env.client.workflow
        .getHandle(
          position === undefined ? campaignWorkflowId(campaignId) : messageWorkflowId(campaignId, position),
        )
        .fetchHistory(),
    historyOf: (workflowId: string) => env.client.workflow.getHandle(workflowId).fetchHistory(),
    prepareImport: (accountId: string, file: string) => prepareImport(db, accountId, Buffer.from(file), {}),
    importHistory: async (importId: string) => {
      const handle = env.client.workflow.getHandle(importWorkflowId(importId));
      await handle.result();
      return handle.fetchHistory();
    },
    testSendHistory: async (testId: string) => {
      const handle = env.client.workflow.getHandle(testSendWorkflowId(testId));
      await handle.result();
      return handle.fetchHistory();
    },
    reconcileHistory: (carrierAccountId: string) =>
      env.client.workflow.getHandle(reconcileWorkflowId(carrierAccountId)).fetchHistory(),
    deploy: async (code: WorkflowBundleWithSourceMap) => {
      control.worker.shutdown();
      await control.running;
      control = await runControl(code);
    },
    close: async () => {
      control.worker.shutdown();
      dispatch.shutdown();
      await Promise.all([control.running, dispatching]);
      await watch.close();
      await db.destroy();
      await database.drop();
    },
  });
}

async function registerSearchAttributes(env: TestWorkflowEnvironment): Promise<void> {
  const types = { KEYWORD: 2, DATETIME: 6 } as const;
  await env.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(
      Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [name, types[type]]),
    ),
  });
}

/** One campaign of a world, with what a test does to it and reads of it. */
export interface CampaignUnderTest {
  readonly account: SeededAccount;
  readonly campaignId: string;
  readonly messageIds: readonly string[];
  readonly order: (
    name: CampaignActionName,
    args?: Record<string, unknown>,
    schedules?: NewSchedules,
  ) => Promise<{ state: string; reason: string | null }>;
  readonly campaign: () => Promise<Campaign>;
  readonly status: () => Promise<string>;
  readonly messages: () => Promise<Message[]>;
  readonly report: () => Promise<MessageReport>;
  readonly inside: <Result>(work: (trx: Trx) => Promise<Result>) => Promise<Result>;
}

/** Seeds an account, launches a campaign of it and wakes its workflow. */
export async function launchCampaign(
  world: WorkflowWorld,
  seed: SeedOptions,
  launch: Omit<Parameters<typeof seedCampaign>[2], 'at'>,
): Promise<CampaignUnderTest> {
  const account = await seedAccount(world.db, seed);
  const { campaignId, messageIds } = await seedCampaign(world.db, account, {
    ...launch,
    at: await world.now(),
  });
  await world.workflows.wakeCampaign(account.accountId, campaignId);
  return underTest(world, account, campaignId, messageIds);
}

function underTest(
  world: WorkflowWorld,
  account: SeededAccount,
  campaignId: string,
  messageIds: readonly string[],
): CampaignUnderTest {
  const inside = <Result>(work: (trx: Trx) => Promise<Result>): Promise<Result> =>
    withAccount(world.db, account.accountId, work);
  const campaign = async (): Promise<Campaign> => {
    const found = await inside((trx) => findCampaign(trx, campaignId));
    if (found === null) throw new Error('The campaign is gone.');
    return found;
  };
  const messages = (): Promise<Message[]> => inside((trx) => listMessages(trx, campaignId));
  return {
    account,
    campaignId,
    messageIds,
    inside,
    campaign,
    messages,
    status: async () => (await campaign()).status,
    report: async () => {
      const reports = await inside(async (trx) => readReports(trx, await campaign(), await messages()));
      return sumReports([...reports.values()]);
    },
    order: async (name, args = {}, schedules) => {
      const at = await world.now();
      const ordered = await inside(async (trx) => {
        const locked = await lockCampaign(trx, campaignId);
        if (locked === null) throw new Error('The campaign is gone.');
        return orderAction(trx, { campaign: locked, name, args, actor: account.actor, at }, schedules);
      });
      if (ordered.kind === 'refused') return { state: 'refused', reason: ordered.reason };
      if (ordered.state === 'applied') return { state: 'applied', reason: null };
      const reply = await world.workflows.applyAction(account.accountId, campaignId, ordered.actionId);
      return reply ?? { state: 'requested', reason: null };
    },
  };
}

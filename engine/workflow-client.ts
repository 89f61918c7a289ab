import {
  type Client,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/common';
import type { campaign } from '../workflows/campaign.ts';
import {
  type ActionOrder,
  type ActionReply,
  APPLY_UPDATE,
  type CampaignInput,
  campaignWorkflowId,
  CARILLON_ACCOUNT,
  CARILLON_CENTRAL,
  CARILLON_STATUS,
  centralWorkflowId,
  CONTROL_QUEUE,
  type ImportInput,
  importWorkflowId,
  LOOK_SIGNAL,
  POKE_SIGNAL,
  type ReconcileInput,
  reconcileWorkflowId,
  sliceWorkflowId,
  type TestSendInput,
  testSendWorkflowId,
  type TimeMode,
} from '../workflows/contract.ts';

/** What the API and repair ask of the engine. Every call is safe to repeat. */
export interface WorkflowClient {
  /** Starts the campaign's run, or wakes the one there is. */
  readonly wakeCampaign: (accountId: string, campaignId: string) => Promise<void>;
  /** Starts the campaign's run if there is none; costs a running one nothing. */
  readonly ensureCampaign: (accountId: string, campaignId: string) => Promise<void>;
  /** Wakes the run that a campaign has. False when it has none. */
  readonly pokeCampaign: (campaignId: string) => Promise<boolean>;
  /** Whether a campaign has a run by the engine's own word; costs a running one nothing. */
  readonly hasRun: (campaignId: string) => Promise<boolean>;
  /** Who has a run by the engine's list, which follows the engine by moments. */
  readonly runningCampaigns: () => Promise<(campaignId: string) => boolean>;
  /** Has an action that stands in the database applied; null when nobody has answered within the time. */
  readonly applyAction: (
    accountId: string,
    campaignId: string,
    actionId: string,
  ) => Promise<ActionReply | null>;
  /** Starts the run of a central campaign, or wakes the one there is. */
  readonly wakeCentral: (accountId: string, campaignId: string) => Promise<void>;
  /** Starts the run of a central campaign if there is none. */
  readonly ensureCentral: (accountId: string, campaignId: string) => Promise<void>;
  /** Wakes the run that a central campaign has. False when it has none. */
  readonly pokeCentral: (campaignId: string) => Promise<boolean>;
  /** The same as `applyAction`, of a central campaign. */
  readonly applyCentralAction: (
    accountId: string,
    campaignId: string,
    actionId: string,
  ) => Promise<ActionReply | null>;
  /** Tells a slice that its parts' states have changed. False when it has no run. */
  readonly lookAtSlice: (campaignId: string, slice: number) => Promise<boolean>;
  readonly startImport: (accountId: string, importId: string) => Promise<void>;
  /** Starts the run of a message on trial, if there is none. */
  readonly startTestSend: (accountId: string, testId: string) => Promise<void>;
  /** Starts the run that resolves a carrier account's unknown attempts, or has the one there is look at once. */
  readonly wakeReconcile: (carrierAccountId: string) => Promise<void>;
  readonly isReachable: () => Promise<boolean>;
}

/** How long a caller waits for the answer of an action before he is told that it is under way. */
const ANSWER_MS_MAX = 3_000;
const REACH_MS_MAX = 1_000;
/** The most runs that the engine lists in one answer. */
const LIST_PAGE = 1_000;

/** The one module that talks to the engine's client. `time` is `virtual` in tests only. */
export function createWorkflowClient(client: Client, time: TimeMode): WorkflowClient {
  const campaignOptions = (accountId: string, campaignId: string) => ({
    taskQueue: CONTROL_QUEUE,
    workflowId: campaignWorkflowId(campaignId),
    args: [{ accountId, campaignId, time }] satisfies [CampaignInput],
    workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    staticSummary: `Campaign ${campaignId}`,
    staticDetails: `SMS campaign of account \`${accountId}\`. Pause, resume, stop, abort, suspend or reschedule it by a signal of that name.`,
    typedSearchAttributes: [
      { key: CARILLON_ACCOUNT, value: accountId },
      { key: CARILLON_STATUS, value: 'processing' },
    ],
    priority: { fairnessKey: accountId },
  });
  const centralOptions = (accountId: string, campaignId: string) => ({
    ...campaignOptions(accountId, campaignId),
    workflowId: centralWorkflowId(campaignId),
    staticSummary: `Central campaign ${campaignId}`,
    staticDetails: `Sent by the sub-accounts of \`${accountId}\`, each by a campaign of its own. Pause, resume, stop, abort or suspend all of them by a signal of that name.`,
    typedSearchAttributes: [
      { key: CARILLON_ACCOUNT, value: accountId },
      { key: CARILLON_STATUS, value: 'processing' },
      { key: CARILLON_CENTRAL, value: campaignId },
    ],
  });

  /** The row is the order, so whatever goes wrong here is made good by repair; the caller only learns less. */
  const apply = async (
    type: 'campaign' | 'centralSend',
    options: ReturnType<typeof campaignOptions>,
    actionId: string,
  ): Promise<ActionReply | null> => {
    const startWorkflowOperation = new WithStartWorkflowOperation<typeof campaign>(type, options);
    const update = client.workflow
      .executeUpdateWithStart<typeof campaign, ActionReply, [ActionOrder]>(APPLY_UPDATE, {
        updateId: actionId,
        args: [{ actionId }],
        startWorkflowOperation,
      })
      .catch(() => null);
    startWorkflowOperation.workflowHandle().catch(() => undefined);
    return within(update, ANSWER_MS_MAX, null);
  };

  const signal = async (workflowId: string, name: string): Promise<boolean> => {
    const sent = client.workflow.getHandle(workflowId).signal(name);
    return orFalse(sent.then(() => true as const));
  };

  return {
    wakeCampaign: async (accountId, campaignId) => {
      // Start and signal are one operation: a run that is just ending takes the signal and goes on, or a new one starts.
      await client.workflow.signalWithStart('campaign', {
        ...campaignOptions(accountId, campaignId),
        signal: POKE_SIGNAL,
        signalArgs: [],
      });
    },

    ensureCampaign: async (accountId, campaignId) => {
      await client.workflow.start('campaign', campaignOptions(accountId, campaignId));
    },

    pokeCampaign: (campaignId) => signal(campaignWorkflowId(campaignId), POKE_SIGNAL),

    hasRun: async (campaignId) => {
      const known = await orFalse(client.workflow.getHandle(campaignWorkflowId(campaignId)).describe());
      return known !== false && known.status.name === 'RUNNING';
    },

    runningCampaigns: async () => {
      const query = `WorkflowType = 'campaign' AND ExecutionStatus = 'Running'`;
      const running = new Set<string>();
      for await (const { workflowId } of client.workflow.list({ query, pageSize: LIST_PAGE })) {
        running.add(workflowId);
      }
      return (campaignId) => running.has(campaignWorkflowId(campaignId));
    },

    applyAction: (accountId, campaignId, actionId) =>
      apply('campaign', campaignOptions(accountId, campaignId), actionId),

    wakeCentral: async (accountId, campaignId) => {
      await client.workflow.signalWithStart('centralSend', {
        ...centralOptions(accountId, campaignId),
        signal: POKE_SIGNAL,
        signalArgs: [],
      });
    },

    ensureCentral: async (accountId, campaignId) => {
      await client.workflow.start('centralSend', centralOptions(accountId, campaignId));
    },

    pokeCentral: (campaignId) => signal(centralWorkflowId(campaignId), POKE_SIGNAL),

    applyCentralAction: (accountId, campaignId, actionId) =>
      apply('centralSend', centralOptions(accountId, campaignId), actionId),

    lookAtSlice: (campaignId, slice) => signal(sliceWorkflowId(campaignId, slice), LOOK_SIGNAL),

    startImport: async (accountId, importId) => {
      const input: ImportInput = { accountId, importId };
      try {
        await client.workflow.start('importContacts', {
          taskQueue: CONTROL_QUEUE,
          workflowId: importWorkflowId(importId),
          args: [input],
          staticSummary: `Import ${importId}`,
          typedSearchAttributes: [{ key: CARILLON_ACCOUNT, value: accountId }],
          priority: { fairnessKey: accountId },
        });
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      }
    },

    startTestSend: async (accountId, testId) => {
      const input: TestSendInput = { accountId, testId, time };
      try {
        await client.workflow.start('testSend', {
          taskQueue: CONTROL_QUEUE,
          workflowId: testSendWorkflowId(testId),
          args: [input],
          staticSummary: `Test ${testId}`,
          typedSearchAttributes: [{ key: CARILLON_ACCOUNT, value: accountId }],
          priority: { fairnessKey: accountId },
        });
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      }
    },

    wakeReconcile: async (carrierAccountId) => {
      await client.workflow.signalWithStart('reconcile', {
        taskQueue: CONTROL_QUEUE,
        workflowId: reconcileWorkflowId(carrierAccountId),
        args: [{ carrierAccountId, time }] satisfies [ReconcileInput],
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
        staticSummary: `Unknown attempts of ${carrierAccountId}`,
        staticDetails: "Looks for them in the carrier's list, within its limit of requests.",
        signal: POKE_SIGNAL,
        signalArgs: [],
      });
    },

    isReachable: () =>
      within(
        client.workflowService.getSystemInfo({}).then(
          () => true,
          () => false,
        ),
        REACH_MS_MAX,
        false,
      ),
  };
}

/** What is asked of a run; false when there is none. */
async function orFalse<Value>(asked: Promise<Value>): Promise<Value | false> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

async function within<Value>(work: Promise<Value>, limitMs: number, otherwise: Value): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<Value>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), limitMs);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}

import {
  condition,
  ParentClosePolicy,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { CampaignActivities } from '../activities/campaign-activities.ts';
import type { CentralActivities } from '../activities/central-activities.ts';
import { SLICE_PARTS } from '../domain/central/part-states.ts';
import { centralSlice, handed } from './central-slice.ts';
import {
  type CampaignInput,
  CARILLON_ACCOUNT,
  CARILLON_CENTRAL,
  CARILLON_SEND_AT,
  CARILLON_STATUS,
  sliceWorkflowId,
} from './contract.ts';
import { createInbox } from './inbox.ts';
import { linkTo } from './run-links.ts';

type CentralPlan = Awaited<ReturnType<CentralActivities['stepCentral']>>;

const DAY_MS = 24 * 60 * 60_000;
const SLICE_RETRY_MS = 5_000;

const { stepCentral } = proxyLocalActivities<CentralActivities>({
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: '200 milliseconds', maximumInterval: '30 seconds' },
  summary: 'Read where the parts stand and decide what comes next',
});
const { prepareCampaign } = proxyActivities<CampaignActivities>({
  startToCloseTimeout: '1 minute',
  summary: 'Check the content',
});
const { carryOutForSlice, wakeParts } = proxyActivities<CentralActivities>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '1 minute',
});

/**
 * Runs a campaign that a parent sends for its sub-accounts, from launch to its end. It decides when and texts nobody: its
 * slices hand the parts over, each of which is a campaign of its sub-account with a run of its own.
 */
export async function centralSend(input: CampaignInput): Promise<{ status: string }> {
  const { accountId, campaignId } = input;
  const inbox = createInbox();
  const slices = createSlices(input);
  let shown = '';

  for (;;) {
    const seen = inbox.changes();
    const plan = await stepCentral({
      accountId,
      campaignId,
      at: Date.now(),
      running: slices.running(),
      handing: slices.handing(),
      signals: inbox.takeSignals(),
      asked: inbox.asked(),
    });
    inbox.takePokes();
    inbox.answer(plan.answers);
    shown = publish(shown, input, plan, slices.running());
    for (const slice of plan.start) await slices.start(slice);

    switch (plan.kind) {
      case 'prepare':
        await prepareCampaign({ accountId, campaignId, at: Date.now() });
        break;
      case 'fan_out':
        await Promise.all(
          plan.orders.map((order) =>
            carryOutForSlice.executeWithOptions({ summary: `Slice ${order.slice}: carry the order out` }, [
              { accountId, campaignId, ...order, at: Date.now() },
            ]),
          ),
        );
        break;
      case 'wake':
        await wakeParts.executeWithOptions({ summary: 'Wake the parts' }, [{ accountId, campaignId }]);
        break;
      case 'end':
        if (slices.running().length === 0) {
          if (inbox.changes() === seen) await condition(inbox.isIdle);
          if (inbox.changes() === seen) return { status: plan.status };
          break;
        }
        await sleepUntil(plan, () => inbox.changes() !== seen || slices.changes() !== slices.seen());
        break;
      case 'run':
        await sleepUntil(plan, () => inbox.changes() !== seen || slices.changes() !== slices.seen());
        break;
    }
    slices.look();
  }
}

/** Timers are a day long at most, so that changed zone data are seen. */
async function sleepUntil(plan: CentralPlan, woken: () => boolean): Promise<void> {
  const delayMs = plan.wakeAt === null ? DAY_MS : Math.min(DAY_MS, Math.max(1, plan.wakeAt - Date.now()));
  const until = plan.wakeAt === null ? '' : ` until ${new Date(plan.wakeAt).toISOString()}`;
  await condition(woken, delayMs, { summary: `${plan.status}: wait for ${plan.next.what}${until}` });
}

/** Shows how the parts stand, with a link to each slice. Resolves with what is shown, so that it is told once. */
function publish(
  before: string,
  { campaignId }: CampaignInput,
  plan: CentralPlan,
  running: readonly number[],
): string {
  const states = Object.entries(plan.states).map(([state, parts]) => `| ${state} | ${parts} |`);
  const parts = Object.values(plan.states).reduce((sum, some) => sum + some, 0);
  const slices = Array.from({ length: Math.ceil(parts / SLICE_PARTS) }, (_, slice) => {
    const link = linkTo(`Slice ${slice}`, sliceWorkflowId(campaignId, slice));
    return `- ${link}${running.includes(slice) ? ', open' : ''}`;
  });
  const nextAt = plan.next.at === null ? '' : ` at ${new Date(plan.next.at).toISOString()}`;
  const details = [
    `**Status:** ${plan.status}`,
    `**Next:** ${plan.next.what}${nextAt}`,
    ['| Accounts are | |', '| --- | --- |', ...states].join('\n'),
    slices.join('\n'),
  ].join('\n\n');
  if (details === before) return before;
  setCurrentDetails(details);
  upsertSearchAttributes([
    { key: CARILLON_STATUS, value: plan.status },
    { key: CARILLON_SEND_AT, value: plan.next.at === null ? null : new Date(plan.next.at) },
  ]);
  return details;
}

/** The slices that run, and those of them that still hand their parts over. */
function createSlices(input: CampaignInput) {
  const running = new Set<number>();
  const handing = new Set<number>();
  let changes = 0;
  let seen = 0;
  setHandler(handed, (slice) => {
    handing.delete(slice);
    changes += 1;
  });

  return {
    running: () => [...running].toSorted((one, other) => one - other),
    handing: () => handing.size,
    changes: () => changes,
    seen: () => seen,
    look: () => {
      seen = changes;
    },
    start: async (slice: number) => {
      // Before it is started: its word that it has handed over may come with the word that it runs.
      handing.add(slice);
      const child = await startChild(centralSlice, {
        workflowId: sliceWorkflowId(input.campaignId, slice),
        args: [{ ...input, slice, phase: 'hand_over' as const }],
        parentClosePolicy: ParentClosePolicy.TERMINATE,
        typedSearchAttributes: [
          { key: CARILLON_ACCOUNT, value: input.accountId },
          { key: CARILLON_CENTRAL, value: input.campaignId },
        ],
        staticSummary: `Slice ${slice} of ${workflowInfo().workflowId}`,
      }).catch(async (error: unknown) => {
        handing.delete(slice);
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
        // One of a run before this is just ending.
        await sleep(SLICE_RETRY_MS);
        changes += 1;
        return null;
      });
      if (child === null) return;
      running.add(slice);
      const ended = (): void => {
        running.delete(slice);
        handing.delete(slice);
        changes += 1;
      };
      // A slice that failed is started again by the next step, which reads where its parts stand.
      child.result().then(ended, ended);
    },
  };
}

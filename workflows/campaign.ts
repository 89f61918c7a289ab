import {
  CancellationScope,
  condition,
  defineQuery,
  ParentClosePolicy,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { CampaignActivities } from '../activities/campaign-activities.ts';
import type { ReportActivities } from '../activities/report-activities.ts';
import {
  type CampaignInput,
  type CampaignView,
  CARILLON_CENTRAL,
  CARILLON_SEND_AT,
  CARILLON_STATUS,
  centralWorkflowId,
  DISPATCH_QUEUE,
  messageWorkflowId,
  STATUS_QUERY,
} from './contract.ts';
import { createInbox } from './inbox.ts';
import { message, recall } from './message.ts';
import { linkTo } from './run-links.ts';

type StepPlan = Awaited<ReturnType<CampaignActivities['stepCampaign']>>;

const DAY_MS = 24 * 60 * 60_000;
/**
 * What texts comes before what wakes and what settles. Of thousands that are due at once each sends while its workflow is
 * still in memory, where otherwise all would wake first and be read again for each step.
 */
const SENDING_PRIORITY = 2;
/** Most reports come within a minute of the last text; the rest are waited for asleep. */
const WATCH_REPORTS_MS = 60_000;

const { stepCampaign } = proxyLocalActivities<CampaignActivities>({
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: '200 milliseconds', maximumInterval: '30 seconds' },
  summary: 'Read where the campaign stands and decide what comes next',
});
const { prepareCampaign } = proxyActivities<CampaignActivities>({
  startToCloseTimeout: '1 minute',
  summary: 'Check content and sender',
});
const { freezeAudience } = proxyActivities<CampaignActivities>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '1 minute',
  summary: 'Freeze the audience',
});
const { awaitReports } = proxyActivities<ReportActivities>({
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: '30 seconds',
  taskQueue: DISPATCH_QUEUE,
  summary: "Await the carrier's last reports",
});

/** What the campaign is doing. */
export const status = defineQuery<CampaignView>(STATUS_QUERY);

/**
 * Runs one campaign from launch to its end. It decides when: each time it wakes it asks the database where
 * the campaign stands and what comes next, so a run that was started anew goes on by itself.
 */
export async function campaign(input: CampaignInput): Promise<{ status: string }> {
  const inbox = createInbox();
  const children = createChildren(input);
  let view: CampaignView = {
    status: 'processing',
    next: 'prepare',
    nextAt: null,
    recipients: null,
    centralId: workflowInfo().typedSearchAttributes.get(CARILLON_CENTRAL) ?? null,
  };
  setHandler(status, () => view);

  for (;;) {
    const seen = inbox.changes();
    const plan = await stepCampaign({
      accountId: input.accountId,
      campaignId: input.campaignId,
      at: Date.now(),
      running: children.running(),
      poked: inbox.takePokes(),
      signals: inbox.takeSignals(),
      asked: inbox.asked(),
    });
    inbox.answer(plan.answers);
    view = publish(view, plan);
    if (plan.recall) await children.recall();
    for (const child of plan.start) await children.start(child.messageId, child.position);

    if (plan.kind === 'end' && children.running().length === 0) {
      if (inbox.changes() === seen) {
        await condition(inbox.isIdle);
        if (inbox.changes() === seen) return { status: plan.status };
      }
    } else if (plan.kind === 'prepare') {
      await prepareCampaign({ ...idsOf(input), at: Date.now() });
    } else if (plan.kind === 'freeze') {
      await freezeAudience({ ...idsOf(input), at: Date.now() });
    } else {
      const woken = (): boolean => inbox.changes() !== seen || children.changes() !== children.seen();
      if (plan.kind !== 'settle' || !(await settled(input, woken))) await sleepUntil(plan, woken);
    }
    children.look();
  }
}

/** True when no report is awaited any more. Whatever wakes the campaign ends the watch. */
async function settled(input: CampaignInput, woken: () => boolean): Promise<boolean> {
  const watch = new CancellationScope();
  const watching = watch.run(() =>
    awaitReports({ ...idsOf(input), waitMs: input.time === 'virtual' ? 0 : WATCH_REPORTS_MS }),
  );
  const answer = await Promise.race([watching.catch(() => false), condition(woken).then(() => false)]);
  watch.cancel();
  return answer;
}

function idsOf(input: CampaignInput): { accountId: string; campaignId: string } {
  return { accountId: input.accountId, campaignId: input.campaignId };
}

/** Timers are a day long at most, so that changed zone data and settings are seen. */
async function sleepUntil(plan: StepPlan, woken: () => boolean): Promise<void> {
  const delayMs = plan.wakeAt === null ? DAY_MS : Math.min(DAY_MS, Math.max(1, plan.wakeAt - Date.now()));
  await condition(woken, delayMs, { summary: summaryOf(plan) });
}

function summaryOf(plan: StepPlan): string {
  const until = plan.wakeAt === null ? '' : ` until ${new Date(plan.wakeAt).toISOString()}`;
  return `${plan.status}: wait for ${plan.next.what}${until}`;
}

function publish(before: CampaignView, plan: StepPlan): CampaignView {
  const nextAt = plan.next.at === null ? null : new Date(plan.next.at).toISOString();
  const { status: standing, recipients } = plan;
  // Whoever started a part's run may not have known what it is a part of; its row does.
  const centralId = plan.centralId ?? before.centralId;
  const view = { status: standing, next: plan.next.what, nextAt, recipients, centralId };
  if (JSON.stringify(view) === JSON.stringify(before)) return before;
  const sendAt = plan.next.what === 'message' ? plan.next.at : null;
  const hasMoved = view.status !== before.status || view.nextAt !== before.nextAt;
  const attributes = [
    ...(hasMoved ? [{ key: CARILLON_STATUS, value: view.status }] : []),
    ...(hasMoved ? [{ key: CARILLON_SEND_AT, value: sendAt === null ? null : new Date(sendAt) }] : []),
    ...(centralId === before.centralId ? [] : [{ key: CARILLON_CENTRAL, value: centralId }]),
  ];
  if (attributes.length > 0) upsertSearchAttributes(attributes);
  setCurrentDetails(
    [
      `**Status:** ${view.status}`,
      `**Next:** ${view.next}${nextAt === null ? '' : ` at ${nextAt}`}`,
      `**Recipients:** ${view.recipients ?? 'not frozen yet'}`,
      ...(centralId === null ? [] : [`**Part of:** ${linkTo(centralId, centralWorkflowId(centralId))}`]),
    ].join('\n\n'),
  );
  return view;
}

/** The children that run, one a message at most. */
function createChildren(input: CampaignInput) {
  const running: Record<string, { signal: (definition: typeof recall) => Promise<void> }> = {};
  let changes = 0;
  let seen = 0;

  return {
    running: () => Object.keys(running),
    changes: () => changes,
    seen: () => seen,
    look: () => {
      seen = changes;
    },
    start: async (messageId: string, position: number) => {
      const child = await startChild(message, {
        workflowId: messageWorkflowId(input.campaignId, position),
        args: [{ ...input, messageId, position }],
        parentClosePolicy: ParentClosePolicy.TERMINATE,
        priority: { priorityKey: SENDING_PRIORITY },
        staticSummary: `Message ${position}`,
      });
      running[messageId] = child;
      const ended = (): void => {
        delete running[messageId];
        changes += 1;
      };
      // A child that failed is started again by the next step, which reads where the message stands.
      child.result().then(ended, ended);
    },
    recall: async () => {
      await Promise.all(Object.values(running).map((child) => child.signal(recall).catch(() => undefined)));
    },
  };
}

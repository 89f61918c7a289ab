import {
  ActivityCancellationType,
  condition,
  continueAsNew,
  defineSignal,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { CampaignActivities } from '../activities/campaign-activities.ts';
import type { LaneActivities } from '../activities/lane-activities.ts';
import { DISPATCH_QUEUE, type MessageInput } from './contract.ts';

const DAY_MS = 24 * 60 * 60_000;
/** A lane that failed is not started again at once, so that a broken database is not asked in a tight loop. */
const LOST_LANE_WAIT_MS = 1_000;

const { planMessage } = proxyLocalActivities<CampaignActivities>({
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: '200 milliseconds', maximumInterval: '30 seconds' },
  summary: 'Read where the message stands and decide what comes next',
});
const { expireMessage } = proxyActivities<CampaignActivities>({
  startToCloseTimeout: '1 hour',
  heartbeatTimeout: '1 minute',
  summary: 'Give up on whoever has expired',
});
const { sendLane } = proxyActivities<LaneActivities>({
  taskQueue: DISPATCH_QUEUE,
  startToCloseTimeout: '12 minutes',
  heartbeatTimeout: '15 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  // A lane is never retried with old arguments: this workflow starts the next one with a fresh instant.
  retry: { maximumAttempts: 1 },
});

/** A gate of the campaign has closed, or its end was ordered: look again. */
export const recall = defineSignal('recall');

/** How a message's run ended: everybody has been dealt with, or a closed gate has called it back. */
export interface MessageResult {
  readonly end: 'done' | 'held';
}

/** Sends one message of a campaign: lanes while its window is open, sleep while it is closed. */
export async function message(input: MessageInput): Promise<MessageResult> {
  let recalls = 0;
  setHandler(recall, () => {
    recalls += 1;
  });

  for (;;) {
    const seen = recalls;
    const plan = await planMessage({ ...idsOf(input), at: Date.now() });
    setCurrentDetails(detailsOf(input, plan));
    switch (plan.kind) {
      case 'done':
      case 'held':
        return { end: plan.kind };
      case 'expire':
        await expireMessage({ ...idsOf(input), at: Date.now() });
        break;
      case 'sleep': {
        const delayMs = Math.min(DAY_MS, Math.max(1, plan.until - Date.now()));
        await condition(() => recalls !== seen, delayMs, {
          summary: `${plan.why === 'quiet_hours' ? 'Quiet hours' : 'Next try'} until ${new Date(plan.until).toISOString()}`,
        });
        break;
      }
      case 'send': {
        const waitMs = await sendLanes(input, plan.lanes);
        if (waitMs > 0) await condition(() => recalls !== seen, waitMs, { summary: 'The pace is used up' });
        break;
      }
    }
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof message>(input);
  }
}

/** Runs the lanes side by side until each has ended. Resolves with how long to wait before the next. */
async function sendLanes(input: MessageInput, lanes: number): Promise<number> {
  const ends = await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      try {
        return await sendLane.executeWithOptions({ summary: `Message ${input.position}, lane ${lane + 1}` }, [
          { ...idsOf(input), lane, at: Date.now(), time: input.time },
        ]);
      } catch {
        // The worker died or hung. Whom it left open the next plan marks as unknown.
        return { waitMs: LOST_LANE_WAIT_MS };
      }
    }),
  );
  return Math.min(...ends.map((end) => end.waitMs));
}

function idsOf(input: MessageInput): { accountId: string; campaignId: string; messageId: string } {
  return { accountId: input.accountId, campaignId: input.campaignId, messageId: input.messageId };
}

function detailsOf(
  input: MessageInput,
  plan: Awaited<ReturnType<CampaignActivities['planMessage']>>,
): string {
  const now =
    plan.kind === 'sleep' ? `sleeps until ${new Date(plan.until).toISOString()} (${plan.why})` : plan.kind;
  return `**Message ${input.position}** of campaign \`${input.campaignId}\`\n\n**Now:** ${now}`;
}

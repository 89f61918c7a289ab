import type { Campaign } from '../../db/campaigns.ts';
import type { Trx } from '../../db/database.ts';
import type { Message } from '../../db/messages.ts';
import { readRefusedContent } from '../../db/refused-content.ts';
import type { CampaignReview } from '../../db/review/read-review.ts';
import { outsideCause, persistingCause } from '../../db/suspend-causes.ts';
import { type LaunchIssue, scheduleIssues, type AccountClock } from '../../domain/launch-check.ts';
import type { LaunchOrder } from '../../domain/review/planned-messages.ts';
import { SUSPENSIONS } from '../../domain/suspension.ts';
import { missingOf } from '../views/campaign-view.ts';
import { mmsIssues, schedulesOf } from './campaign-action-checks.ts';

/** Everything that would refuse the order, reject the campaign or suspend it at once, each with how to mend it. */
export async function refusalsOf(
  trx: Trx,
  campaign: Campaign,
  messages: readonly Message[],
  review: CampaignReview,
  order: LaunchOrder,
  at: number,
): Promise<LaunchIssue[]> {
  const { account } = review.settings;
  const issues = order.action === 'launch' ? missingOf(campaign, messages) : [];
  return [
    ...issues,
    ...orderIssues(order, messages, account, at),
    ...(await mmsIssues(trx, campaign, messages)),
    ...(await contentIssues(trx, messages, review, at)),
    ...(await outsideIssues(trx, campaign, order, at)),
  ];
}

function orderIssues(
  order: LaunchOrder,
  messages: readonly Message[],
  clock: AccountClock,
  at: number,
): LaunchIssue[] {
  // A round that is ordered in quiet hours waits for their end.
  if (!('start' in order) && !('schedules' in order)) return [];
  if (order.action !== 'restart') return scheduleIssues(order.start, at, clock, schedulesOf(messages));
  const schedules = [...order.schedules.values()].map((schedule, index) => ({
    pointer: `/messages/${index}/schedule`,
    schedule,
  }));
  return scheduleIssues('scheduled', at, clock, schedules);
}

async function contentIssues(
  trx: Trx,
  messages: readonly Message[],
  review: CampaignReview,
  at: number,
): Promise<LaunchIssue[]> {
  const refused = await readRefusedContent(
    trx,
    review.messages.map((one) => one.message),
    at,
  );
  return refused.map(({ code, message, messageId }) => ({
    pointer: `/messages/${messages.findIndex((one) => one.id === messageId)}/text`,
    code,
    message,
  }));
}

/** A draft without a sender lacks it, which is said already. */
async function outsideIssues(
  trx: Trx,
  campaign: Campaign,
  order: LaunchOrder,
  at: number,
): Promise<LaunchIssue[]> {
  if (campaign.senderId === null) return [];
  const cause = await outsideCause(trx, campaign.id, at);
  if (cause === null) return order.action === 'restart' ? persistingIssues(trx, campaign, at) : [];
  const { reason, remedy } = SUSPENSIONS[cause];
  const pointer = cause === 'list_gone' ? '/listIds' : '/senderId';
  return [{ pointer, code: cause, message: `${reason} ${remedy}` }];
}

/** What suspended the campaign before its stop. */
async function persistingIssues(trx: Trx, campaign: Campaign, at: number): Promise<LaunchIssue[]> {
  const persisting = await persistingCause(trx, campaign.accountId, campaign.id, at, () => null);
  return persisting === null ? [] : [{ pointer: '', code: persisting.cause, message: persisting.reason }];
}

import type { Campaign } from '../../db/campaigns.ts';
import type { CentralReview } from '../../db/central/review/read-central-review.ts';
import type { Trx } from '../../db/database.ts';
import { findAccount } from '../../db/accounts.ts';
import type { Message } from '../../db/messages.ts';
import { readRefusedContent } from '../../db/refused-content.ts';
import { findPreset } from '../../db/presets.ts';
import { PART_REFUSALS } from '../../domain/central/part-review.ts';
import { type AccountClock, type LaunchIssue, scheduleIssues } from '../../domain/launch-check.ts';
import type { LaunchOrder } from '../../domain/review/planned-messages.ts';
import type { Schedule } from '../../domain/schedule.ts';
import { notFound } from '../problem.ts';
import { missingOf } from '../views/campaign-view.ts';
import { schedulesOf } from './campaign-action-checks.ts';

/** So many accounts are named; all of them stand in the review's pages. */
const NAMED_MAX = 20;

/**
 * Everything that refuses a central order, each with how to mend it. What keeps one account from sending is none of it:
 * that account's part is suspended, and the others go on.
 */
export async function centralRefusals(
  trx: Trx,
  campaign: Campaign,
  messages: readonly Message[],
  review: CentralReview,
  order: LaunchOrder,
  at: number,
): Promise<LaunchIssue[]> {
  const account = await findAccount(trx, campaign.accountId);
  if (account === null) throw notFound('account');
  const clock = {
    timeZone: account.timeZone,
    quietHours: { start: account.quietStart, end: account.quietEnd },
  };
  return [
    ...(order.action === 'launch' ? missingOf(campaign, messages) : []),
    ...(order.action === 'restart' ? restartIssues(review) : await presetIssues(trx, campaign, review)),
    ...ownHours(campaign, order, messages, clock, at),
    ...hoursOfParts(review),
    ...(await contentIssues(trx, messages, review, at)),
  ];
}

async function presetIssues(trx: Trx, campaign: Campaign, review: CentralReview): Promise<LaunchIssue[]> {
  const { presetId } = campaign;
  if (presetId === null) return [];
  const pointer = '/presetId';
  if ((await findPreset(trx, presetId)) === null) {
    return [{ pointer, code: 'preset-gone', message: 'The preset has been deleted. Choose another one.' }];
  }
  if (isAnySendable(review)) return [];
  const message = 'No account of the preset can be sent for. Add pairs to it, or choose another one.';
  return [{ pointer, code: 'preset-empty', message }];
}

/** The pairs were fixed at the launch, so it does not matter what has become of the preset. */
function restartIssues(review: CentralReview): LaunchIssue[] {
  if (isAnySendable(review)) return [];
  const message =
    'None of the accounts whose parts were stopped can be sent for any more. Duplicate the campaign to send it to others.';
  return [{ pointer: '/messages', code: 'no-account-left', message }];
}

function isAnySendable(review: CentralReview): boolean {
  return review.parts.some((part) => part.messages.length > 0);
}

/**
 * The parent's own quiet hours, in its own zone: "now" is refused in them, and no schedule lies in them. Of a local time
 * each account's zone says whether it has passed.
 */
function ownHours(
  campaign: Campaign,
  order: LaunchOrder,
  messages: readonly Message[],
  clock: AccountClock,
  at: number,
): LaunchIssue[] {
  if (!('start' in order) && !('schedules' in order)) return [];
  const isLocal = campaign.timing === 'local_time';
  const inOwnZone = (schedule: Schedule | null): Schedule | null =>
    schedule === null || !isLocal ? schedule : { local: schedule.local, zone: clock.timeZone };
  if ('start' in order && order.start === 'later') {
    return [
      {
        pointer: '/start',
        code: 'not-centrally',
        message: 'A central campaign is sent now or at its schedule.',
      },
    ];
  }
  const planned =
    'schedules' in order
      ? [...order.schedules.values()].map((schedule, index) => ({
          pointer: `/messages/${index}/schedule`,
          schedule,
        }))
      : schedulesOf(messages);
  const issues = scheduleIssues(
    'start' in order ? order.start : 'scheduled',
    at,
    clock,
    planned.map((one) => ({ ...one, schedule: inOwnZone(one.schedule) })),
  );
  return isLocal ? issues.filter(({ code }) => code !== 'schedule-past') : issues;
}

function hoursOfParts(review: CentralReview): LaunchIssue[] {
  const refused = review.parts.filter((part) => part.refusals.length > 0);
  return refused.slice(0, NAMED_MAX).flatMap((part) =>
    part.refusals.map((code) => ({
      pointer: '/messages',
      code,
      message: `${part.name} (${part.accountId}, ${part.timeZone}): ${PART_REFUSALS[code]}`,
    })),
  );
}

async function contentIssues(
  trx: Trx,
  messages: readonly Message[],
  review: CentralReview,
  at: number,
): Promise<LaunchIssue[]> {
  const refused = await readRefusedContent(
    trx,
    review.planned.map((one) => one.message),
    at,
  );
  return refused.map(({ code, message, messageId }) => ({
    pointer: `/messages/${messages.findIndex((one) => one.id === messageId)}/text`,
    code,
    message,
  }));
}

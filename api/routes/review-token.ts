import { findAccount } from '../../db/accounts.ts';
import type { Campaign } from '../../db/campaigns.ts';
import { readCentralReview } from '../../db/central/review/read-central-review.ts';
import type { Trx } from '../../db/database.ts';
import { listMessages } from '../../db/messages.ts';
import { readReview } from '../../db/review/read-review.ts';
import { lockPreset } from '../../db/presets.ts';
import { findReview, useReview } from '../../db/review/reviews.ts';
import type { LaunchOrder } from '../../domain/review/planned-messages.ts';
import { roleOf } from '../../domain/campaign-actions.ts';
import { changesSince, type ReviewFacts } from '../../domain/review/review-facts.ts';
import { notFound, Problem, unknownReference } from '../problem.ts';
import { requireCentralSend } from '../require-central-send.ts';
import { refuseIssues } from './campaign-action-checks.ts';
import { centralRefusals } from './central-refusals.ts';

/**
 * Lets an order pass that was reviewed and would still do what was seen; without a token it passes unless the account
 * demands one. Throws a Problem that names what has changed. The campaign has to be locked.
 */
export async function checkReviewToken(
  trx: Trx,
  campaign: Campaign,
  order: LaunchOrder,
  token: string | undefined,
  now: number,
): Promise<void> {
  const account = await findAccount(trx, campaign.accountId);
  if (account === null) throw notFound('account');
  const isCentral = roleOf(campaign) === 'central';
  if (token === undefined) {
    if (!account.reviewRequired && !isCentral) return;
    throw new Problem(
      'review-required',
      isCentral
        ? 'A campaign that other accounts send is confirmed by a review. Ask for one at /v1/campaigns/{id}/review and send its token.'
        : 'This account demands a review of each launch and round. Ask for one at /v1/campaigns/{id}/review and send its token.',
      { errors: [{ pointer: '/reviewToken', message: 'Send the token of a review.' }] },
    );
  }
  const review = await findReview(trx, campaign.id, token);
  if (review === null) throw unknownReference('/reviewToken', 'review of this campaign');
  if (review.usedAt !== null) throw stale('used', 'It has been used. A review counts for one launch.');
  if (review.expiresAt.getTime() <= now) throw stale('expired', 'It has expired.');
  const facts = isCentral
    ? await checkCentral(trx, campaign, order, now)
    : (await readReview(trx, campaign, order, now)).facts;
  const changes = changesSince(review.facts, facts, account.reviewTolerancePercent);
  if (changes.length > 0) {
    throw new Problem('review-stale', 'It is not what was reviewed any more. Review it again and look.', {
      errors: changes.map(({ code, message }) => ({ pointer: `/${code}`, code, message })),
    });
  }
  await useReview(trx, review.id, now);
}

/** What a central order would do now; refuses one that would be refused if it were reviewed again. */
async function checkCentral(
  trx: Trx,
  campaign: Campaign,
  order: LaunchOrder,
  now: number,
): Promise<ReviewFacts> {
  await requireCentralSend(trx, campaign.accountId);
  // Whoever changes the preset's pairs comes before the figures, or after they are fixed.
  if (campaign.presetId !== null) await lockPreset(trx, campaign.presetId);
  const review = await readCentralReview(trx, campaign, order, now);
  const messages = await listMessages(trx, campaign.id);
  refuseIssues(await centralRefusals(trx, campaign, messages, review, order, now));
  return review.facts;
}

function stale(code: string, message: string): Problem {
  return new Problem('review-stale', 'This review does not count any more. Review the campaign again.', {
    errors: [{ pointer: '/reviewToken', code, message }],
  });
}

import type { ReviewFacts } from '../../domain/review/review-facts.ts';
import type { Trx } from '../database.ts';
import { newId } from '../ids.ts';

/** A review as it is kept until a launch shows its id: what was seen, and until when that counts (campaign time). */
export interface Review {
  readonly id: string;
  readonly facts: ReviewFacts;
  readonly expiresAt: Date;
  readonly usedAt: Date | null;
}

/** Keeps a review. Resolves with its id, which is the token of a launch. */
export async function insertReview(
  trx: Trx,
  review: {
    readonly accountId: string;
    readonly campaignId: string;
    readonly facts: ReviewFacts;
    readonly createdBy: string;
    readonly expiresAt: Date;
  },
): Promise<string> {
  const id = newId('rvw');
  await trx
    .insertInto('reviews')
    .values({
      id,
      account_id: review.accountId,
      campaign_id: review.campaignId,
      facts: JSON.stringify(review.facts),
      created_by: review.createdBy,
      expires_at: review.expiresAt,
    })
    .execute();
  return id;
}

/** The review, or null when the campaign has none of this id. */
export async function findReview(trx: Trx, campaignId: string, id: string): Promise<Review | null> {
  const row = await trx
    .selectFrom('reviews')
    .where('id', '=', id)
    .where('campaign_id', '=', campaignId)
    .select(['id', 'facts', 'expires_at as expiresAt', 'used_at as usedAt'])
    .forUpdate()
    .executeTakeFirst();
  return row ?? null;
}

/** A review counts for one launch. */
export async function useReview(trx: Trx, id: string, at: number): Promise<void> {
  await trx
    .updateTable('reviews')
    .set({ used_at: new Date(at) })
    .where('id', '=', id)
    .execute();
}

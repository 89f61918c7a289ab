import { sql } from 'kysely';
import type { PartReview } from '../../../domain/central/part-review.ts';
import type { Trx } from '../../database.ts';
import type { Listed, Part } from '../../listing.ts';

/** Keeps the plan figures of each account beside their review, in one statement. */
export async function insertReviewParts(
  trx: Trx,
  accountId: string,
  reviewId: string,
  parts: readonly PartReview[],
): Promise<void> {
  await sql`
    insert into review_parts (account_id, review_id, number, sub_account_id, figures)
    select ${accountId}, ${reviewId}, p.place - 1, p.figures ->> 'accountId', p.figures
    from jsonb_array_elements(${JSON.stringify(parts)}::jsonb) with ordinality p(figures, place)`.execute(
    trx,
  );
}

/** A page of them, as they were when it was reviewed. */
export async function listReviewParts(
  trx: Trx,
  review: { readonly id: string; readonly campaignId: string },
  { offset, limit }: Part,
): Promise<Listed<PartReview>> {
  const rows = trx
    .selectFrom('review_parts as p')
    .innerJoin('reviews as r', 'r.id', 'p.review_id')
    .where('p.review_id', '=', review.id)
    .where('r.campaign_id', '=', review.campaignId);
  const { total } = await rows
    .select((select) => select.fn.countAll<number>().as('total'))
    .executeTakeFirstOrThrow();
  const items = await rows.select('p.figures').orderBy('p.number').limit(limit).offset(offset).execute();
  return { items: items.map(({ figures }) => figures), total };
}

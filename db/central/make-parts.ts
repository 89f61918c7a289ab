import { sql } from 'kysely';
import { SLICE_PARTS } from '../../domain/central/part-states.ts';
import type { Trx } from '../database.ts';
import { newId } from '../ids.ts';
import { openParts } from './open-parts.ts';

/** A part with a campaign of its sub-account. */
export interface MadePart {
  readonly number: number;
  readonly subAccountId: string;
  readonly campaignId: string;
}

/** Which slice of which central campaign. */
export interface SliceRef {
  /** The parent. */
  readonly accountId: string;
  readonly campaignId: string;
  /** From 0. */
  readonly slice: number;
}

/**
 * Makes the campaigns that parts of the slice lack, in one statement for all of them, and resolves with every part that
 * is not over. Safe to repeat: a part has one campaign.
 */
export async function makeParts(trx: Trx, { campaignId, slice }: SliceRef): Promise<MadePart[]> {
  const { lacking } = await trx
    .selectFrom('central_parts')
    .where('central_id', '=', campaignId)
    .where('slice', '=', slice)
    .where('state', '=', 'waiting')
    .where('campaign_id', 'is', null)
    .select((select) => select.fn.countAll<number>().as('lacking'))
    .executeTakeFirstOrThrow();
  if (lacking > 0) {
    const { messages } = await trx
      .selectFrom('messages')
      .where('campaign_id', '=', campaignId)
      .select((select) => select.fn.countAll<number>().as('messages'))
      .executeTakeFirstOrThrow();
    const campaignIds = idsOf('cmp', SLICE_PARTS);
    const messageIds = idsOf('msg', SLICE_PARTS * messages);
    await sql`select make_parts(${campaignId}, ${slice}, ${campaignIds}::text[], ${messageIds}::text[])`.execute(
      trx,
    );
  }
  return openParts(trx, { campaignId, slice });
}

function idsOf(prefix: 'cmp' | 'msg', count: number): string[] {
  return Array.from({ length: count }, () => newId(prefix));
}

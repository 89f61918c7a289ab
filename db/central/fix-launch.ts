import { sql } from 'kysely';
import type { StartMode } from '../../domain/campaign-status.ts';
import type { Trx } from '../database.ts';
import { fixParts, unfixParts } from './central-sends.ts';

/**
 * What a central launch does beside any other: the pairs of its preset become its parts, and "now" is one instant for all
 * of them. What a launch of before has left whose content was refused is fixed anew.
 */
export async function fixLaunch(trx: Trx, campaignId: string, mode: StartMode, at: number): Promise<void> {
  await unfixParts(trx, campaignId);
  await fixParts(trx, campaignId);
  if (mode !== 'now') return;
  await trx
    .updateTable('messages')
    .set({
      due_at: new Date(at),
      expires_at: sql<Date>`${new Date(at)}::timestamptz + expires_after_ms * interval '1 millisecond'`,
    })
    .where('campaign_id', '=', campaignId)
    .where('position', '=', 1)
    .execute();
}

import { sql } from 'kysely';
import type { StartMode } from '../../domain/campaign-status.ts';
import type { Trx } from '../database.ts';
import { fixParts } from './central-sends.ts';

/**
 * What a central launch does beside any other: the pairs of its preset become its parts, and "now" is one instant for all
 * of them. A launch of before whose content was refused has left parts that nobody was given, which are fixed anew.
 */
export async function fixLaunch(trx: Trx, campaignId: string, mode: StartMode, at: number): Promise<void> {
  for (const table of ['central_part_lists', 'central_parts'] as const) {
    await trx.deleteFrom(table).where('central_id', '=', campaignId).execute();
  }
  await trx
    .updateTable('central_sends')
    .set({ fixed_at: null, preset_name: null })
    .where('campaign_id', '=', campaignId)
    .execute();
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

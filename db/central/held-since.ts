import type { Trx } from '../database.ts';

/**
 * Notes from when on a central campaign is held, in campaign time, where it is not held already. To be called before the
 * hold is placed, with its row locked; of any other campaign there is nothing to note.
 */
export async function noteHeldSince(trx: Trx, campaignId: string, at: number): Promise<void> {
  await trx
    .updateTable('central_sends')
    .set({ held_since: new Date(at) })
    .where('campaign_id', '=', campaignId)
    .where((where) =>
      where.exists(
        where
          .selectFrom('gates')
          .where('scope_id', '=', campaignId)
          .where('holds', '=', 0)
          .select('scope_id'),
      ),
    )
    .execute();
}

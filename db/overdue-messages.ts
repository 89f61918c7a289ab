import type { Trx } from './database.ts';

/** Messages of a campaign that are due and have not begun, because something held it; `at` is campaign time. */
export async function overdueMessages(trx: Trx, campaignId: string, at: number): Promise<string[]> {
  const rows = await trx
    .selectFrom('messages')
    .where('campaign_id', '=', campaignId)
    .where('status', '=', 'scheduled')
    .where('due_at', '<=', new Date(at))
    .select('id')
    .orderBy('position')
    .execute();
  return rows.map((row) => row.id);
}

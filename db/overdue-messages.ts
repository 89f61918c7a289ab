import { findHeldCentral, overdueInZones } from './central/overdue-in-zones.ts';
import type { Trx } from './database.ts';

/**
 * Messages of a campaign that are due and have not begun, because something held it; `at` is campaign time. Of a central
 * one those only that some account would send together with others.
 */
export async function overdueMessages(trx: Trx, campaignId: string, at: number): Promise<string[]> {
  const central = await findHeldCentral(trx, campaignId);
  if (central !== null) return overdueInZones(trx, campaignId, central, at);
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

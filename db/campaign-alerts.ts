import { sql } from 'kysely';
import type { AlertKind } from '../domain/alert.ts';
import type { Trx } from './database.ts';

/** Resolves what is open on a campaign: everything once nobody has to care any more, else the kinds that are named. */
export async function resolveCampaignAlerts(
  trx: Trx,
  campaignId: string,
  kinds?: readonly AlertKind[],
): Promise<void> {
  await trx
    .updateTable('alerts')
    .set((set) => ({ resolved_at: sql<Date>`clock_timestamp()`, version: set('version', '+', 1) }))
    .where('campaign_id', '=', campaignId)
    .where('resolved_at', 'is', null)
    .$if(kinds !== undefined, (update) => update.where('kind', 'in', kinds ?? []))
    .execute();
}

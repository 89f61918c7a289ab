import { sql } from 'kysely';
import type { AlertKind } from '../domain/alert.ts';
import type { Trx } from './database.ts';

/** Resolves what is open on a campaign: everything once nobody has to care any more, else the kinds that are named. */
export async function resolveCampaignAlerts(
  trx: Trx,
  campaignId: string,
  kinds?: readonly AlertKind[],
): Promise<void> {
  // Locked in the order in which an edit of hours raises those of many messages.
  const open = trx
    .selectFrom('alerts')
    .where('campaign_id', '=', campaignId)
    .where('resolved_at', 'is', null)
    .$if(kinds !== undefined, (query) => query.where('kind', 'in', kinds ?? []))
    .select('id')
    .orderBy('subject_id')
    .forUpdate();
  await trx
    .updateTable('alerts')
    .set((set) => ({ resolved_at: sql<Date>`clock_timestamp()`, version: set('version', '+', 1) }))
    .where('id', '=', sql<string>`any(array(${open}))`)
    .execute();
}

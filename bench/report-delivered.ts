import { withOwner } from '../dev/with-owner.ts';

/**
 * Writes what callbacks would for everybody whom these campaigns have texted: the sink makes none, and a campaign waits
 * for them before it ends.
 */
export async function reportDelivered(databaseUrl: string, campaignIds: readonly string[]): Promise<void> {
  await withOwner(databaseUrl, async (owner) => {
    await owner.query(
      `insert into outcomes (month, account_id, message_key, recipient, attempt, stage, status, carrier_uuid, units)
       select a.month, a.account_id, a.message_key, a.recipient, a.attempt, 'final', 'delivered', a.carrier_uuid, 1
       from messages m join attempts a on a.message_key = m.key where m.campaign_id = any($1)`,
      [[...campaignIds]],
    );
    await owner.query(
      `insert into rollup_deltas (account_id, message_key, counter, delta)
       select a.account_id, a.message_key, 'delivered', count(*)
       from messages m join attempts a on a.message_key = m.key where m.campaign_id = any($1) group by 1, 2`,
      [[...campaignIds]],
    );
  });
}

import type { Client } from 'pg';

/** The first recipient of a message that is sent: the carrier took his text and never handed it over. */
export async function failFirst(owner: Client, messageId: string): Promise<void> {
  await owner.query(
    `with m as (
       update messages set status = 'sent' where id = $1 returning key, account_id, campaign_id
     ), c as (
       select m.key, m.account_id, c.audience_month as month from m join campaigns c on c.id = m.campaign_id
     ), attempted as (
       insert into attempts (month, account_id, message_key, recipient, attempt, lease_id, result, segments, cost_micro_usd)
       select month, account_id, key, 1, 1, 0, 'accepted', 1, 0 from c
     ), told as (
       insert into outcomes (month, account_id, message_key, recipient, attempt, stage, status, reason)
       select month, account_id, key, 1, 1, 'final', 'failed', '300' from c
     )
     insert into rollup_deltas (account_id, message_key, counter, delta)
     select account_id, key, x.counter, 1 from c, unnest(array['accepted', 'failed:300']) x(counter)`,
    [messageId],
  );
}

import { type Kysely, sql } from 'kysely';

/**
 * What each campaign has claimed, and its budget. Claims and what is given back change this row, never the campaign's
 * own, which holds and actions lock.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table campaign_spends (
      campaign_id text primary key references campaigns,
      account_id text not null,
      budget_micro_usd bigint,
      spent_micro_usd bigint not null default 0
    );
    comment on column campaign_spends.budget_micro_usd is 'Null is no budget.';
    comment on column campaign_spends.spent_micro_usd is
      'Claimed when leased, at all segments of each text; what was certainly not taken or has failed is given back.';
    select protect_tenant_table('campaign_spends');

    -- What campaigns of before have claimed; as the system role, which sees every account's rows.
    set role carillon_system;
    insert into campaign_spends (campaign_id, account_id, spent_micro_usd)
      select c.id, c.account_id, coalesce((
        select sum(l.cost_micro_usd) from leases l where l.month = c.audience_month and l.campaign_key = c.key
      ), 0) - coalesce((
        select sum(a.cost_micro_usd) from messages m join attempts a on a.month = c.audience_month and a.message_key = m.key
        where m.campaign_id = c.id and a.result in ('rejected', 'not_accepted')
      ), 0)
      from campaigns c;
    reset role;

    -- A text that was never handed over costs nothing. Each of these reports has just become the final word on its
    -- recipient; rows are locked in the order in which leases lock them.
    create function give_back_spend(failed jsonb) returns void
    language plpgsql security definer set search_path = public, pg_temp as $fn$
    declare
      shares jsonb;
      share record;
    begin
      select coalesce(jsonb_agg(jsonb_build_object('account', l.account_id, 'campaign', c.id, 'month', l.spend_month,
          'cost', a.cost_micro_usd)), '[]') into shares
        from jsonb_to_recordset(failed) as f(account text, month date, lease bigint, hash text, uuid text)
        join leases l on l.month = f.month and l.id = f.lease and l.account_id = f.account
        join campaigns c on c.key = l.campaign_key
        join recipients r on r.month = l.month and r.campaign_key = l.campaign_key
          and r.number_hash = decode(f.hash, 'hex')
        join outcomes o on o.month = l.month and o.message_key = l.message_key and o.recipient = r.recipient
          and o.stage = 'final' and o.status = 'failed' and o.carrier_uuid = f.uuid
        join attempts a on a.month = l.month and a.message_key = l.message_key and a.recipient = r.recipient
          and a.attempt = o.attempt and a.lease_id = l.id;
      for share in
        select s.campaign, sum(s.cost) as cost from jsonb_to_recordset(shares) as s(campaign text, cost bigint)
        group by 1 order by 1
      loop
        update campaign_spends s set spent_micro_usd = greatest(0, s.spent_micro_usd - share.cost)
          where s.campaign_id = share.campaign;
      end loop;
      for share in
        select s.account, s.month, sum(s.cost) as cost
        from jsonb_to_recordset(shares) as s(account text, month text, cost bigint) group by 1, 2 order by 1, 2
      loop
        update spend_months s set spent_micro_usd = greatest(0, s.spent_micro_usd - share.cost)
          where s.account_id = share.account and s.month = share.month;
      end loop;
    end $fn$;
    alter function give_back_spend(jsonb) owner to carillon_system;
    revoke all on function give_back_spend(jsonb) from public;
    grant execute on function give_back_spend(jsonb) to carillon_app;`.execute(db);
}

import { type Kysely, sql } from 'kysely';

/**
 * Whom a request in bulk form was about has no uuid in his attempt, since no answer says whose is whose; each report
 * names it. That is plain, too: the recipient is found by his number in the lease.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    -- Returns the reports that it took; it leaves alone those whose attempt is not simply an accepted one. Each row is
    -- looked up by its key (the offsets see to it), and a recipient by his number before his campaign: an audience that
    -- was frozen just now has no statistics, and by month and campaign the planner would read all of it.
    create or replace function apply_plain_reports(reports jsonb)
    returns table (index integer, verdict text)
    language plpgsql security definer set search_path = public, pg_temp as $fn$
    #variable_conflict use_column
    begin
      return query with known as materialized (
        select r.index, r.stage, r.status, r.code, r.uuid, r.units, r.billed, l.account_id, l.month, l.message_key,
          p.recipient, a.attempt, a.cost_micro_usd,
          row_number() over (partition by l.month, l.message_key, p.recipient, a.attempt, r.stage order by r.index) as turn
        from jsonb_to_recordset(reports) as r(
          index integer, account text, month date, lease bigint, hash text, uuid text, stage text, status text, code text,
          units smallint, billed bigint)
        cross join lateral (
          select x.account_id, x.month, x.id, x.campaign_key, x.message_key from leases x
          where x.month = r.month and x.id = r.lease and x.account_id = r.account offset 0
        ) l
        join lateral (
          select x.recipient, x.campaign_key from recipients x
          where x.number_hash = decode(r.hash, 'hex') and x.month = l.month offset 0
        ) p on p.campaign_key = l.campaign_key
        cross join lateral (
          select x.attempt, x.cost_micro_usd from attempts x
          where x.month = l.month and x.message_key = l.message_key and x.recipient = p.recipient and x.lease_id = l.id
            and x.result = 'accepted' and (x.carrier_uuid = r.uuid or x.carrier_uuid is null) offset 0
        ) a
        -- Whoever may be tried again is locked first, and which of his attempts counts is looked up.
        where not exists (select from waves w where w.message_key = l.message_key and w.repeats)
      ), stored as (
        insert into outcomes (month, account_id, message_key, recipient, attempt, stage, status, reason, carrier_uuid,
          units, billed_micro_usd)
        select k.month, k.account_id, k.message_key, k.recipient, k.attempt, k.stage, k.status, k.code, k.uuid, k.units,
          k.billed
        from known k where k.turn = 1 and k.stage is not null order by k.account_id, k.month, k.message_key, k.recipient, k.stage
        on conflict do nothing
        returning message_key, recipient, attempt, stage
      ), told as materialized (
        select k.*, k.turn = 1 and k.stage is not null
          and (k.message_key, k.recipient, k.attempt, k.stage) in (select * from stored) as is_new
        from known k
      ), counted as (
        insert into rollup_deltas (account_id, message_key, counter, delta)
        select t.account_id, t.message_key, c.counter, sum(c.amount)
        from told t cross join lateral (values
          (case when t.status in ('sent', 'delivered') then t.status
            else t.status || ':' || coalesce(t.code, 'none') end, 1::bigint),
          ('billed_micro_usd', case when t.stage = 'final' then t.billed end),
          ('estimate_of_billed_micro_usd', case when t.stage = 'final' and t.billed is not null then t.cost_micro_usd end)
        ) c(counter, amount)
        where t.is_new and c.amount is not null group by 1, 2, 3
      )
      select t.index, case when t.is_new or t.stage is null then 'applied' else 'repeated' end from told t;
    end $fn$;`.execute(db);
}

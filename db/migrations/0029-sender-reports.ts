import { type Kysely, sql } from 'kysely';

/** How each sender's texts end, by the minute, for what may not be frequent. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table sender_reports (
      account_id text not null,
      sender_id text not null references senders on delete cascade,
      minute timestamptz not null,
      finals integer not null,
      spam integer not null,
      primary key (sender_id, minute)
    );
    comment on table sender_reports is 'Machine time. Minutes that are out of the window are removed by later ones.';
    select protect_tenant_table('sender_reports');

    -- Counts final reports of leases of any accounts. Returns the senders of those that tell of spam, with what they
    -- have had in the window.
    create function count_sender_reports(reports jsonb, window_ms integer)
    returns table (account_id text, sender_id text, finals integer, spam integer)
    language plpgsql security definer set search_path = public, pg_temp as $fn$
    #variable_conflict use_column
    declare
      since timestamptz := clock_timestamp() - window_ms * interval '1 millisecond';
      seen text[];
      spamming text[];
    begin
      with counted as (
        select l.account_id, l.sender_id, sum(r.finals)::integer as finals, sum(r.spam)::integer as spam
        from jsonb_to_recordset(reports) as r(account text, month date, lease bigint, finals integer, spam integer)
        join leases l on l.month = r.month and l.id = r.lease and l.account_id = r.account
        join senders s on s.id = l.sender_id
        group by 1, 2 order by 2
      ), stored as (
        insert into sender_reports as s (account_id, sender_id, minute, finals, spam)
        select c.account_id, c.sender_id, date_trunc('minute', clock_timestamp()), c.finals, c.spam from counted c
        order by 2
        on conflict (sender_id, minute) do update set finals = s.finals + excluded.finals, spam = s.spam + excluded.spam
        returning 1
      )
      select array_agg(c.sender_id), array_agg(c.sender_id) filter (where c.spam > 0) into seen, spamming from counted c;
      delete from sender_reports s where s.sender_id = any(seen) and s.minute < since - interval '1 minute';
      return query
        select s.account_id, s.sender_id, sum(s.finals)::integer, sum(s.spam)::integer from sender_reports s
        where s.sender_id = any(spamming) and s.minute >= since group by 1, 2;
    end $fn$;
    alter function count_sender_reports(jsonb, integer) owner to carillon_system;
    revoke all on function count_sender_reports(jsonb, integer) from public;
    grant execute on function count_sender_reports(jsonb, integer) to carillon_app;`.execute(db);
}

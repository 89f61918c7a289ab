import { type Kysely, sql } from 'kysely';

const FUNCTIONS = [
  'number_events(integer)',
  'events_after(bigint, text[], integer)',
  'live_progress(text[], text[], interval, integer)',
  'keys_in_force(text[])',
  'forget_events(interval)',
  'fold_rollups(integer)',
];
const TRIGGERS = ['event_of_status()', 'event_of_log()', 'event_of_alert()'];

/**
 * Live events. Whatever happens writes a row without a number; whoever wants to read numbers what has committed, one
 * process at a time. So numbers follow commits: whoever has seen one never finds a lower one later.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table event_inbox (
      id bigint generated always as identity primary key,
      account_id text not null,
      campaign_id text,
      kind text not null,
      at timestamptz not null default clock_timestamp(),
      data jsonb not null
    );
    comment on table event_inbox is 'Written by triggers, and emptied by number_events.';
    select protect_tenant_table('event_inbox');

    create table events (
      position bigint generated always as identity primary key,
      account_id text not null,
      number bigint not null,
      campaign_id text,
      kind text not null,
      at timestamptz not null,
      data jsonb not null,
      unique (account_id, number)
    );
    comment on column events.number is 'Its public id: 1, 2, 3 and so on within its account.';
    comment on column events.position is 'The same order over all accounts, for processes that serve several.';
    create index on events (campaign_id, number) where campaign_id is not null;
    create index on events (at);
    select protect_tenant_table('events');

    create table event_counters (
      account_id text primary key,
      last bigint not null,
      forgotten bigint not null default 0
    );
    comment on column event_counters.forgotten is 'Events up to this number are not kept any more.';
    select protect_tenant_table('event_counters');

    create function event_of_status() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $fn$
    begin
      insert into event_inbox (account_id, campaign_id, kind, data) values (
        new.account_id, new.id, 'status', jsonb_build_object(
          'campaignId', new.id,
          'from', case when tg_op = 'INSERT' then null else old.status end,
          'to', new.status,
          'archived', new.archived_at is not null,
          'deleted', new.deleted_at is not null));
      return null;
    end $fn$;
    create trigger event_of_new after insert on campaigns for each row execute function event_of_status();
    create trigger event_of_status after update of status, archived_at, deleted_at on campaigns for each row
      when (old.status <> new.status or (old.archived_at is null) <> (new.archived_at is null)
        or (old.deleted_at is null) <> (new.deleted_at is null))
      execute function event_of_status();

    create function event_of_log() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $fn$
    begin
      insert into event_inbox (account_id, campaign_id, kind, at, data) values (
        new.account_id, new.campaign_id, 'log', new.at, jsonb_build_object(
          'id', new.id::text, 'by', new.who, 'key', new.key_id, 'via', new.via, 'what', new.what,
          'subject', jsonb_build_object('kind', new.subject_kind, 'id', new.subject_id),
          'campaignId', new.campaign_id, 'from', new.from_value, 'to', new.to_value,
          'actionId', new.action_id, 'detail', new.detail));
      return null;
    end $fn$;
    create trigger event_of_log after insert on log for each row execute function event_of_log();

    create function event_of_alert() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $fn$
    begin
      insert into event_inbox (account_id, campaign_id, kind, data) values (
        new.account_id, new.campaign_id, 'alert', jsonb_build_object(
          'id', new.id, 'kind', new.kind, 'severity', new.severity,
          'subject', jsonb_build_object('kind', new.subject_kind, 'id', new.subject_id),
          'campaignId', new.campaign_id, 'cause', new.cause, 'reason', new.reason, 'remedy', new.remedy,
          'count', new.count, 'acknowledgedBy', new.acknowledged_by,
          'state', case when new.resolved_at is not null then 'resolved'
            when new.acknowledged_at is not null then 'acknowledged' else 'open' end));
      return null;
    end $fn$;
    create trigger event_of_new_alert after insert on alerts for each row execute function event_of_alert();
    -- A cause that is seen once more changes a count; only what somebody has to know is an event.
    create trigger event_of_alert after update on alerts for each row
      when ((old.resolved_at is null) <> (new.resolved_at is null)
        or (old.acknowledged_at is null) <> (new.acknowledged_at is null) or old.severity <> new.severity)
      execute function event_of_alert();

    -- Returns the newest position: everything up to it can be read from now on.
    -- The lock is a statement of its own and is released after the commit, so whoever has it sees what everybody
    -- before him has numbered, and no number is ever given below one that a reader may have seen.
    create function number_events(how_many integer) returns bigint
    language plpgsql security definer set search_path = public, pg_temp as $fn$
    begin
      if exists (select from event_inbox) then
        perform pg_advisory_xact_lock(hashtext('carillon events'));
        with taken as (
          delete from event_inbox i using (
            select x.id from event_inbox x order by x.id limit how_many
          ) oldest where i.id = oldest.id
          returning i.*
        ), ranked as (
          select t.*, row_number() over (partition by t.account_id order by t.id) as nth,
            count(*) over (partition by t.account_id) as size from taken t
        ), counted as (
          insert into event_counters as c (account_id, last)
          select account_id, count(*) from taken group by 1 order by 1
          on conflict (account_id) do update set last = c.last + excluded.last
          returning c.account_id, c.last
        )
        insert into events (account_id, number, campaign_id, kind, at, data)
        select r.account_id, c.last - r.size + r.nth, r.campaign_id, r.kind, r.at, r.data
        from ranked r join counted c using (account_id)
        order by r.id;
      end if;
      return (select coalesce(max(e.position), 0) from events e);
    end $fn$;

    create function events_after(after_position bigint, accounts text[], how_many integer)
    returns table ("position" bigint, account_id text, number bigint, campaign_id text, kind text,
                   at timestamptz, data jsonb)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select e.position, e.account_id, e.number, e.campaign_id, e.kind, e.at, e.data from events e
      where e.position > after_position and e.account_id = any(accounts)
      order by e.position limit how_many
    $fn$;

    alter table rollups add column folded_at timestamptz not null default clock_timestamp();
    comment on column rollups.folded_at is 'Machine time; says which campaigns have made progress lately.';
    create index on rollups (folded_at);

    create or replace function fold_rollups(how_many integer) returns integer
    language plpgsql security definer set search_path = public, pg_temp as $fn$
    declare
      folded integer;
    begin
      with taken as (
        delete from rollup_deltas d using (
          select x.id from rollup_deltas x order by x.id limit how_many for update skip locked
        ) oldest where d.id = oldest.id
        returning d.account_id, d.message_key, d.counter, d.delta
      ), summed as (
        select account_id, message_key, counter, sum(delta)::bigint as value, count(*) as rows
        from taken group by 1, 2, 3
      ), stored as (
        insert into rollups as r (account_id, message_key, counter, value)
        select account_id, message_key, counter, value from summed order by message_key, counter
        on conflict (message_key, counter) do update
          set value = r.value + excluded.value, folded_at = clock_timestamp()
        returning 1
      )
      select coalesce(sum(rows), 0)::integer into folded from summed;
      return folded;
    end $fn$;

    -- The counters of campaigns that have made progress within a while: campaigns that are named, and all of some
    -- accounts. What is not folded yet has changed just now; its keys are found by skipping from one to the next.
    create function live_progress(accounts text[], campaigns_wanted text[], lately interval, how_many integer)
    returns table (campaign_id text, account_id text, recipients bigint, counter text, value bigint)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      with recursive unfolded as (
        select min(d.message_key) as key from rollup_deltas d
        union all
        select (select min(d.message_key) from rollup_deltas d where d.message_key > u.key)
        from unfolded u where u.key is not null
      ), changed as (
        select u.key from unfolded u where u.key is not null
        union
        select r.message_key from rollups r where r.folded_at > clock_timestamp() - lately
      ), wanted as materialized (
        select distinct c.id, c.account_id, c.audience_size
        from changed x join messages m on m.key = x.key join campaigns c on c.id = m.campaign_id
        where c.deleted_at is null and (c.account_id = any(accounts) or c.id = any(campaigns_wanted))
        order by c.id desc limit how_many
      )
      select w.id, w.account_id,
        coalesce(w.audience_size, 0) * (select count(*) from messages n where n.campaign_id = w.id),
        x.counter, sum(x.value)::bigint
      from wanted w join messages m on m.campaign_id = w.id cross join lateral (
        select r.counter, r.value from rollups r where r.message_key = m.key
        union all
        select d.counter, d.delta from rollup_deltas d where d.message_key = m.key
      ) x
      group by 1, 2, 3, 4
    $fn$;

    create function keys_in_force(wanted text[]) returns table (id text)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select k.id from api_keys k
      where k.id = any(wanted) and k.revoked_at is null
        and (k.expires_at is null or k.expires_at > clock_timestamp())
    $fn$;

    create function forget_events(older_than interval) returns void
    language plpgsql security definer set search_path = public, pg_temp as $fn$
    begin
      with gone as (
        delete from events e where e.at < clock_timestamp() - older_than returning e.account_id, e.number
      )
      update event_counters c set forgotten = greatest(c.forgotten, g.number)
      from (select account_id, max(number) as number from gone group by 1) g where g.account_id = c.account_id;
    end $fn$;`.execute(db);

  for (const signature of [...FUNCTIONS, ...TRIGGERS]) {
    await sql`alter function ${sql.raw(signature)} owner to carillon_system`.execute(db);
    await sql`revoke all on function ${sql.raw(signature)} from public`.execute(db);
  }
  for (const signature of FUNCTIONS) {
    await sql`grant execute on function ${sql.raw(signature)} to carillon_app`.execute(db);
  }
}

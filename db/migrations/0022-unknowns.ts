import { type Kysely, sql } from 'kysely';

const FUNCTIONS = [
  'carriers_to_ask(timestamptz)',
  'next_unknown(text, timestamptz, timestamptz)',
  'next_ask_at(text)',
  'known_texts(text, text, bytea, timestamptz, timestamptz)',
  'close_unknowns(text, timestamptz, integer)',
];

/**
 * Attempts of which nobody knows whether the carrier took them, with what its list of texts has said since; and the
 * carrier's limit of lists, as a row that all processes share.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table carrier_accounts
      add column lists_per_minute integer not null default 20 check (lists_per_minute between 1 and 6000),
      add column next_list_at timestamptz not null default '-infinity';

    create table unknowns (
      account_id text not null,
      month date not null,
      message_key bigint not null,
      recipient integer not null,
      attempt smallint not null,
      campaign_key bigint not null,
      carrier_account_id text not null,
      address text not null,
      doubt smallint not null,
      posted_since timestamptz not null,
      posted_until timestamptz not null,
      state text not null default 'open' check (state in ('open', 'absent', 'final', 'accepted', 'superseded')),
      asks integer not null default 0,
      next_ask_at timestamptz not null,
      asked_at timestamptz,
      listed_since timestamptz,
      listed_until timestamptz,
      listed integer,
      explained integer,
      is_complete boolean,
      verdict text,
      primary key (month, message_key, recipient, attempt)
    );
    comment on table unknowns is
      'What became of unknown attempts. open: the list has not told yet; absent: asked long enough after the post, the '
      'list does not have it; final: nothing will be told any more; accepted: something has proved it; superseded: an '
      'attempt after it has a result.';
    comment on column unknowns.doubt is 'The more doubtful, the sooner it is asked for: 3 of a worker that was lost, 1 of an answer.';
    comment on column unknowns.posted_since is 'Machine time of the lease; posted_until that of the record. The post lies between.';
    comment on column unknowns.listed is 'Records in the list when it was asked last, explained those that are known to be of others.';
    create index unknowns_to_ask on unknowns (carrier_account_id, next_ask_at) where state in ('open', 'absent');
    create index on unknowns (message_key);
    select protect_tenant_table('unknowns');

    create index leases_of_sender on leases (sender_id, opened_at);

    create function note_unknown() returns trigger
    language plpgsql set search_path = public, pg_temp as $fn$
    begin
      insert into unknowns (account_id, month, message_key, recipient, attempt, campaign_key, carrier_account_id,
                            address, doubt, posted_since, posted_until, next_ask_at)
      select new.account_id, new.month, new.message_key, new.recipient, new.attempt, l.campaign_key,
        s.carrier_account_id, s.address,
        case when new.cause = 'worker_lost' then 3 when new.cause in ('timeout', 'reset') then 2 else 1 end,
        l.opened_at, new.recorded_at, new.recorded_at + interval '10 seconds'
      from leases l join senders s on s.id = l.sender_id
      where l.month = new.month and l.id = new.lease_id
      on conflict do nothing;
      return null;
    end $fn$;
    comment on function note_unknown() is 'The carrier reports most texts within ten seconds, so the list is asked later.';
    create trigger note_unknown after insert on attempts
      for each row when (new.result = 'unknown') execute function note_unknown();

    create function resolve_unknown() returns trigger
    language plpgsql set search_path = public, pg_temp as $fn$
    declare
      before text;
    begin
      select u.state into before from unknowns u where u.month = new.month and u.message_key = new.message_key
        and u.recipient = new.recipient and u.attempt = new.attempt for update;
      if before in ('open', 'absent', 'final') then
        update unknowns u set state = 'accepted' where u.month = new.month and u.message_key = new.message_key
          and u.recipient = new.recipient and u.attempt = new.attempt;
        if before in ('absent', 'final') then
          insert into rollup_deltas (account_id, message_key, counter, delta)
            values (new.account_id, new.message_key, before, -1);
        end if;
      end if;
      return null;
    end $fn$;
    create trigger resolve_unknown after insert on outcomes
      for each row when (new.stage = 'resolved') execute function resolve_unknown();

    create function carriers_to_ask(at timestamptz) returns table (id text)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select distinct u.carrier_account_id from unknowns u
      where u.state in ('open', 'absent') and u.next_ask_at <= at
    $fn$;

    -- The oldest are due first; among them who is the most in doubt. It is not handed out again for as long as
    -- whoever asks may need.
    create function next_unknown(carrier_account text, at timestamptz, again_at timestamptz)
    returns table (account_id text, month date, message_key bigint, recipient integer, attempt smallint,
                   address text, number text, number_hash bytea, posted_since timestamptz, posted_until timestamptz,
                   asks integer)
    language sql security definer set search_path = public, pg_temp as $fn$
      with due as (
        select u.month, u.message_key, u.recipient, u.attempt, u.doubt, u.next_ask_at from unknowns u
        where u.carrier_account_id = carrier_account and u.state in ('open', 'absent') and u.next_ask_at <= at
        order by u.next_ask_at limit 200
      ), taken as (
        select u.* from unknowns u join due d using (month, message_key, recipient, attempt)
        where u.next_ask_at <= at and u.state in ('open', 'absent')
        order by d.doubt desc, d.next_ask_at limit 1 for update of u skip locked
      )
      update unknowns u set next_ask_at = again_at from taken t
      left join recipients r on r.month = t.month and r.campaign_key = t.campaign_key and r.recipient = t.recipient
      where u.month = t.month and u.message_key = t.message_key and u.recipient = t.recipient and u.attempt = t.attempt
      returning u.account_id, u.month, u.message_key, u.recipient, u.attempt, u.address, r.number, r.number_hash,
        u.posted_since, u.posted_until, u.asks
    $fn$;

    create function next_ask_at(carrier_account text) returns timestamptz
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select min(u.next_ask_at) from unknowns u
      where u.carrier_account_id = carrier_account and u.state in ('open', 'absent')
    $fn$;

    -- Everything of ours that the list may mean by a text from this address to this number in this time, of any
    -- account and campaign: attempts, who is leased and has no result yet, and texts on trial.
    create function known_texts(carrier_account text, wanted_address text, wanted_hash bytea,
                                since timestamptz, until timestamptz)
    returns table (account_id text, month date, message_key bigint, recipient integer, attempt smallint,
                   standing text, uuid text)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      with ours as materialized (
        select s.id from senders s where s.carrier_account_id = carrier_account and s.address = wanted_address
      ), campaigns_then as materialized (
        select distinct l.month, l.campaign_key from ours join leases l on l.sender_id = ours.id
        where l.opened_at between since and until
      ), him as materialized (
        select c.month, c.campaign_key, r.recipient, m.key as message_key, r.account_id
        from campaigns_then c
        join recipients r on r.month = c.month and r.campaign_key = c.campaign_key and r.number_hash = wanted_hash
        join campaigns k on k.key = c.campaign_key join messages m on m.campaign_id = k.id
      )
      select h.account_id, h.month, h.message_key, h.recipient, a.attempt,
        case
          when coalesce(a.carrier_uuid, o.uuid) is not null then 'bound'
          when a.result = 'accepted' or o.is_proved then 'accepted'
          else 'unknown'
        end, coalesce(a.carrier_uuid, o.uuid)
      from him h
      join attempts a on a.month = h.month and a.message_key = h.message_key and a.recipient = h.recipient
      join leases l on l.month = a.month and l.id = a.lease_id
      join ours on ours.id = l.sender_id
      left join lateral (
        select max(x.carrier_uuid) as uuid, count(*) > 0 as is_proved from outcomes x
        where x.month = a.month and x.message_key = a.message_key and x.recipient = a.recipient
          and x.attempt = a.attempt and x.stage in ('resolved', 'sent', 'final')
      ) o on true
      where a.result in ('accepted', 'unknown') and l.opened_at between since and until
      union all
      select h.account_id, h.month, h.message_key, h.recipient, p.attempt, 'in_flight', null
      from him h
      join leases l on l.campaign_key = h.campaign_key and l.message_key = h.message_key and l.closed_at is null
      join ours on ours.id = l.sender_id
      join waves w on w.id = l.wave_id
      join lateral (
        select 1::smallint as attempt from cohorts c where w.wave = 0 and c.campaign_key = l.campaign_key
          and c.cohort = w.cohort
          and h.recipient between c.recipient_first + l.ordinal_first and c.recipient_first + l.ordinal_last
        union all
        select m.attempt from wave_members m where w.wave > 0 and m.month = l.month and m.wave_id = w.id
          and m.ordinal between l.ordinal_first and l.ordinal_last and m.recipient = h.recipient
      ) p on true
      where not exists (select from attempts a where a.month = h.month and a.message_key = h.message_key
          and a.recipient = h.recipient and a.attempt = p.attempt)
        and not exists (select from outcomes x where x.month = h.month and x.message_key = h.message_key
          and x.recipient = h.recipient and x.attempt = 0)
      union all
      select t.account_id, null, null, null, null,
        case
          when t.carrier_uuid is not null then 'bound'
          when t.state = 'accepted' then 'accepted'
          when t.state = 'posting' then 'in_flight'
          else 'unknown'
        end, t.carrier_uuid
      from ours join test_sends t on t.sender_id = ours.id
      where t.number_hash = wanted_hash and t.state in ('posting', 'accepted', 'unknown')
        and t.requested_at <= until and coalesce(t.answered_at, until) >= since
    $fn$;

    create function close_unknowns(carrier_account text, posted_before timestamptz, how_many integer) returns integer
    language plpgsql security definer set search_path = public, pg_temp as $fn$
    declare
      closed integer;
    begin
      with due as (
        select u.month, u.message_key, u.recipient, u.attempt, u.state as before from unknowns u
        where u.carrier_account_id = carrier_account and u.state in ('open', 'absent')
          and u.posted_until <= posted_before
        limit how_many for update skip locked
      ), done as (
        update unknowns u set state = 'final' from due d
        where u.month = d.month and u.message_key = d.message_key and u.recipient = d.recipient and u.attempt = d.attempt
        returning u.account_id, u.message_key, d.before
      ), told as (
        insert into rollup_deltas (account_id, message_key, counter, delta)
          select d.account_id, d.message_key, 'final', count(*) from done d group by 1, 2
          union all
          select d.account_id, d.message_key, 'absent', -count(*) from done d where d.before = 'absent' group by 1, 2
      )
      select count(*)::integer into closed from done;
      return closed;
    end $fn$;

    -- Those of before, as the system role, which sees every account's rows.
    set role carillon_system;
    insert into unknowns (account_id, month, message_key, recipient, attempt, campaign_key, carrier_account_id,
                          address, doubt, posted_since, posted_until, next_ask_at)
    select a.account_id, a.month, a.message_key, a.recipient, a.attempt, l.campaign_key, s.carrier_account_id,
      s.address, 3, l.opened_at, a.recorded_at, a.recorded_at
    from attempts a join leases l on l.month = a.month and l.id = a.lease_id join senders s on s.id = l.sender_id
    where a.result = 'unknown' and not exists (
      select from outcomes o where o.month = a.month and o.message_key = a.message_key
        and o.recipient = a.recipient and o.attempt = a.attempt and o.stage = 'resolved');
    reset role;`.execute(db);

  for (const signature of FUNCTIONS) {
    await sql`alter function ${sql.raw(signature)} owner to carillon_system`.execute(db);
    await sql`revoke all on function ${sql.raw(signature)} from public`.execute(db);
    await sql`grant execute on function ${sql.raw(signature)} to carillon_app`.execute(db);
  }
}

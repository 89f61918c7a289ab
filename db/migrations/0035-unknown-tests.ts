import { type Kysely, sql } from 'kysely';

const FUNCTIONS = [
  'known_texts(text, text, bytea, timestamptz, timestamptz)',
  'next_unknown_test(text, timestamptz, timestamptz)',
  'close_unknown_tests(text, timestamptz)',
];

/** Texts on trial of which nobody knows whether the carrier took them are asked for in its list, too. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table test_sends
      add column asks integer not null default 0,
      add column next_ask_at timestamptz;
    comment on column test_sends.next_ask_at is
      'Machine time at which the carrier''s list is asked for it; null unless it is unknown and something may still be told.';
    create index test_sends_to_ask on test_sends (next_ask_at) where next_ask_at is not null;

    create or replace function carriers_to_ask(at timestamptz) returns table (id text)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select u.carrier_account_id from unknowns u
      where u.state in ('open', 'absent') and u.next_ask_at <= at
      union
      select s.carrier_account_id from test_sends t join senders s on s.id = t.sender_id
      where t.next_ask_at <= at
    $fn$;

    create or replace function next_ask_at(carrier_account text) returns timestamptz
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select least(
        (select min(u.next_ask_at) from unknowns u
          where u.carrier_account_id = carrier_account and u.state in ('open', 'absent')),
        (select min(t.next_ask_at) from test_sends t join senders s on s.id = t.sender_id
          where s.carrier_account_id = carrier_account and t.next_ask_at is not null))
    $fn$;

    create function next_unknown_test(carrier_account text, at timestamptz, again_at timestamptz)
    returns table (account_id text, test_key bigint, address text, number text, number_hash bytea,
                   posted_since timestamptz, posted_until timestamptz)
    language sql security definer set search_path = public, pg_temp as $fn$
      with taken as (
        select t.id, s.address from test_sends t join senders s on s.id = t.sender_id
        where s.carrier_account_id = carrier_account and t.next_ask_at <= at
        order by t.next_ask_at limit 1 for update of t skip locked
      )
      update test_sends t set next_ask_at = again_at from taken
      where t.id = taken.id
      returning t.account_id, t.key, taken.address, t.number, t.number_hash, t.requested_at, t.answered_at
    $fn$;

    create function close_unknown_tests(carrier_account text, posted_before timestamptz) returns void
    language sql security definer set search_path = public, pg_temp as $fn$
      update test_sends t set next_ask_at = null
      from senders s
      where s.id = t.sender_id and s.carrier_account_id = carrier_account and t.next_ask_at is not null
        and t.answered_at <= posted_before
    $fn$;

    drop function known_texts(text, text, bytea, timestamptz, timestamptz);
    create function known_texts(carrier_account text, wanted_address text, wanted_hash bytea,
                                since timestamptz, until timestamptz)
    returns table (account_id text, month date, message_key bigint, recipient integer, attempt smallint,
                   test_key bigint, standing text, uuid text)
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
      select h.account_id, h.month, h.message_key, h.recipient, a.attempt, null::bigint,
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
      select h.account_id, h.month, h.message_key, h.recipient, p.attempt, null, 'in_flight', null
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
      select t.account_id, null, null, null, null, t.key,
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

    -- Those of before, as the system role, which sees every account's rows. What is too old is closed without a question.
    set role carillon_system;
    update test_sends set next_ask_at = answered_at where state = 'unknown';
    reset role;`.execute(db);

  for (const signature of FUNCTIONS) {
    await sql`alter function ${sql.raw(signature)} owner to carillon_system`.execute(db);
    await sql`revoke all on function ${sql.raw(signature)} from public`.execute(db);
    await sql`grant execute on function ${sql.raw(signature)} to carillon_app`.execute(db);
  }
}

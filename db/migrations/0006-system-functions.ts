import { type Kysely, sql } from 'kysely';

const FUNCTIONS = [
  'find_api_key(text)',
  'find_sender(text, text)',
  'find_media(text)',
  'list_account_ids(text, integer)',
  'campaigns_to_run(integer)',
  'imports_to_run(integer)',
  'fold_rollups(integer)',
  'forget_idempotency_keys()',
  'apply_status_reports(jsonb)',
];

/**
 * Everything that looks across accounts. These functions run as `carillon_system`, which sees every row;
 * the application may only call them, so this file is the whole of what crosses a tenant's border.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function find_api_key(wanted_prefix text)
    returns table (id text, account_id text, hash bytea, scopes text[], expires_at timestamptz, revoked_at timestamptz)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select k.id, k.account_id, k.hash, k.scopes, k.expires_at, k.revoked_at
      from api_keys k where k.prefix = wanted_prefix
    $fn$;

    create function find_sender(wanted_carrier_account text, wanted_address text)
    returns table (id text, account_id text, type text)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select s.id, s.account_id, s.type from senders s
      where s.carrier_account_id = wanted_carrier_account and s.address = wanted_address and s.type <> 'alphanumeric'
    $fn$;

    create function find_media(wanted_token text)
    returns table (content_type text, content bytea)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select m.content_type, m.content from media m where m.token = wanted_token
    $fn$;

    create function list_account_ids(after_id text, how_many integer) returns table (id text)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select a.id from accounts a where a.id > after_id order by a.id limit how_many
    $fn$;

    -- Campaigns that should have a run, and those with an action that no run has answered yet.
    create function campaigns_to_run(how_many integer)
    returns table (id text, account_id text, has_waiting_action boolean)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select x.id, x.account_id, bool_or(x.waits) from (
        select c.id, c.account_id, false as waits from campaigns c
        where c.status in ('processing', 'ready', 'scheduled', 'started', 'sending', 'paused', 'suspended')
        union all
        select c.id, c.account_id, true from actions a join campaigns c on c.id = a.campaign_id
        where a.state = 'requested'
      ) x group by 1, 2 limit how_many
    $fn$;

    create function imports_to_run(how_many integer) returns table (id text, account_id text)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select i.id, i.account_id from imports i where i.status in ('queued', 'running') limit how_many
    $fn$;

    create function fold_rollups(how_many integer) returns integer
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
        on conflict (message_key, counter) do update set value = r.value + excluded.value
        returning 1
      )
      select coalesce(sum(rows), 0)::integer into folded from summed;
      return folded;
    end $fn$;

    create function forget_idempotency_keys() returns void
    language sql security definer set search_path = public, pg_temp as $fn$
      delete from idempotency_keys where created_at < clock_timestamp() - interval '7 days'
    $fn$;

    -- One batch of the carrier's status reports, of any accounts. A report names a lease and a number; the
    -- recipient is found through the lease's range even if the worker died before it wrote anything.
    -- A report proves acceptance, binds the recipient to one carrier uuid, and only moves forward: each
    -- stage is inserted once, so the first final status wins in whatever order reports arrive.
    create function apply_status_reports(reports jsonb)
    returns table (index integer, verdict text)
    language plpgsql security definer set search_path = public, pg_temp as $fn$
    declare
      report record;
      lease leases%rowtype;
      wave waves%rowtype;
      person integer;
      first_of_cohort integer;
      attempt_no smallint;
      known attempts%rowtype;
      resolved_uuid text;
      inserted integer;
      counters text[] := '{}';
      amounts bigint[] := '{}';
      keys bigint[] := '{}';
      accounts_of text[] := '{}';
    begin
      for report in
        select * from jsonb_to_recordset(reports) as r(
          index integer, account text, month date, lease bigint, number text, uuid text,
          status text, code text, units smallint, billed bigint)
        order by r.account, r.lease, r.number, r.index
      loop
        index := report.index;
        select * into lease from leases l
          where l.month = report.month and l.id = report.lease and l.account_id = report.account;
        if not found then
          verdict := 'gone';
          return next;
          continue;
        end if;
        select * into wave from waves w where w.id = lease.wave_id;
        if wave.wave = 0 then
          select c.recipient_first into first_of_cohort from cohorts c
            where c.campaign_key = lease.campaign_key and c.cohort = wave.cohort;
          select r.recipient, 1 into person, attempt_no from recipients r
            where r.month = lease.month and r.campaign_key = lease.campaign_key and r.number = report.number
              and r.recipient between first_of_cohort + lease.ordinal_first and first_of_cohort + lease.ordinal_last;
        else
          select m.recipient, m.attempt into person, attempt_no
            from wave_members m join recipients r
              on r.month = m.month and r.campaign_key = lease.campaign_key and r.recipient = m.recipient
            where m.month = lease.month and m.wave_id = wave.id
              and m.ordinal between lease.ordinal_first and lease.ordinal_last and r.number = report.number;
        end if;
        if person is null or exists (
          select from outcomes o where o.month = lease.month and o.message_key = lease.message_key
            and o.recipient = person and o.attempt = 0
        ) then
          verdict := 'mismatch';
          person := null;
          return next;
          continue;
        end if;

        insert into attempts (month, account_id, message_key, recipient, attempt, lease_id, result, cause,
                              carrier_uuid, segments, cost_micro_usd)
          values (lease.month, lease.account_id, lease.message_key, person, attempt_no, lease.id, 'accepted',
                  'status_report', report.uuid, coalesce(report.units, 0), 0)
          on conflict do nothing;
        get diagnostics inserted = row_count;
        if inserted = 1 then
          counters := counters || array['accepted', 'segments'];
          amounts := amounts || array[1, coalesce(report.units, 0)]::bigint[];
          keys := keys || array[lease.message_key, lease.message_key];
          accounts_of := accounts_of || array[lease.account_id, lease.account_id];
          if attempt_no > 1 then
            counters := counters || 'left_deferral'::text;
            amounts := amounts || 1::bigint;
            keys := keys || lease.message_key;
            accounts_of := accounts_of || lease.account_id;
          end if;
        else
          select * into known from attempts a where a.month = lease.month
            and a.message_key = lease.message_key and a.recipient = person and a.attempt = attempt_no;
          if known.result in ('rejected', 'not_accepted') or known.carrier_uuid <> report.uuid then
            verdict := 'mismatch';
            person := null;
            return next;
            continue;
          end if;
          if known.result = 'unknown' then
            insert into outcomes (month, account_id, message_key, recipient, attempt, stage, status, carrier_uuid)
              values (lease.month, lease.account_id, lease.message_key, person, attempt_no, 'resolved', 'accepted', report.uuid)
              on conflict do nothing;
            get diagnostics inserted = row_count;
            if inserted = 1 then
              counters := counters || array['accepted', 'resolved'];
              amounts := amounts || array[1, 1]::bigint[];
              keys := keys || array[lease.message_key, lease.message_key];
              accounts_of := accounts_of || array[lease.account_id, lease.account_id];
            else
              select o.carrier_uuid into resolved_uuid from outcomes o where o.month = lease.month
                and o.message_key = lease.message_key and o.recipient = person
                and o.attempt = attempt_no and o.stage = 'resolved';
              if resolved_uuid <> report.uuid then
                verdict := 'mismatch';
                person := null;
                return next;
                continue;
              end if;
            end if;
          end if;
        end if;

        verdict := 'applied';
        if report.status = 'sent' then
          insert into outcomes (month, account_id, message_key, recipient, attempt, stage, status, carrier_uuid, units, billed_micro_usd)
            values (lease.month, lease.account_id, lease.message_key, person, attempt_no, 'sent', 'sent', report.uuid, report.units, report.billed)
            on conflict do nothing;
          get diagnostics inserted = row_count;
          if inserted = 1 then
            counters := counters || 'sent'::text;
            amounts := amounts || 1::bigint;
            keys := keys || lease.message_key;
            accounts_of := accounts_of || lease.account_id;
          else
            verdict := 'repeated';
          end if;
        elsif report.status in ('delivered', 'undelivered', 'failed') then
          insert into outcomes (month, account_id, message_key, recipient, attempt, stage, status, reason, carrier_uuid, units, billed_micro_usd)
            values (lease.month, lease.account_id, lease.message_key, person, attempt_no, 'final', report.status, report.code, report.uuid, report.units, report.billed)
            on conflict do nothing;
          get diagnostics inserted = row_count;
          if inserted = 1 then
            counters := counters || (report.status || case when report.status = 'delivered' then '' else ':' || coalesce(report.code, 'none') end);
            amounts := amounts || 1::bigint;
            keys := keys || lease.message_key;
            accounts_of := accounts_of || lease.account_id;
            select * into known from attempts a where a.month = lease.month
              and a.message_key = lease.message_key and a.recipient = person and a.attempt = attempt_no;
            if report.billed is not null then
              counters := counters || array['billed_micro_usd', 'estimate_of_billed_micro_usd'];
              amounts := amounts || array[report.billed, known.cost_micro_usd]::bigint[];
              keys := keys || array[lease.message_key, lease.message_key];
              accounts_of := accounts_of || array[lease.account_id, lease.account_id];
            end if;
          else
            verdict := 'repeated';
          end if;
        end if;
        person := null;
        return next;
      end loop;

      insert into rollup_deltas (account_id, message_key, counter, delta)
        select d.account, d.key, d.counter, sum(d.amount)
        from unnest(accounts_of, keys, counters, amounts) as d(account, key, counter, amount)
        group by 1, 2, 3;
    end $fn$;`.execute(db);

  for (const signature of FUNCTIONS) {
    await sql`alter function ${sql.raw(signature)} owner to carillon_system`.execute(db);
    await sql`revoke all on function ${sql.raw(signature)} from public`.execute(db);
    await sql`grant execute on function ${sql.raw(signature)} to carillon_app`.execute(db);
  }
}

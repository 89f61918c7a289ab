import { type Kysely, sql } from 'kysely';

/**
 * What was claimed for each of a lease is known also where its texts differ, so that a report that overtakes its record
 * gives back what that text cost and not the average. And whoever was posted in bulk form is bound to one uuid as
 * everybody else is: the one under which something was reported of him first.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table leases add column segments_each smallint[], add column micro_usd_each bigint[];
    comment on column leases.segments_each is
      'What was claimed for each of its range by his ordinal, 0 for whoever was refused; null: the same for all.';

    create or replace function apply_status_reports(reports jsonb)
    returns table (index integer, verdict text)
    language plpgsql security definer set search_path = public, pg_temp as $fn$
    declare
      report record;
      added_one record;
      lease leases%rowtype;
      wave waves%rowtype;
      person integer;
      first_of_cohort integer;
      attempt_no smallint;
      place integer;
      known attempts%rowtype;
      bound_uuid text;
      inserted integer;
      share_segments smallint;
      share_cost bigint;
      suppressed jsonb[] := '{}';
      counters text[] := '{}';
      amounts bigint[] := '{}';
      keys bigint[] := '{}';
      accounts_of text[] := '{}';
      repeated bigint[] := '{}';
      is_superseded boolean;
      final_counter text;
    begin
      -- Whoever is tried again stays what he was until there is a result. What decides which of his attempts counts
      -- is locked by message before anything else, in one order for everybody.
      if exists (select from waves w where w.repeats) then
        select coalesce(array_agg(distinct l.message_key), '{}') into repeated
          from jsonb_to_recordset(reports) as r(account text, month date, lease bigint)
          join leases l on l.month = r.month and l.id = r.lease and l.account_id = r.account
          where exists (select from waves w where w.message_key = l.message_key and w.repeats);
        perform lock_repeats(k.key) from (select x.key from unnest(repeated) x(key) order by 1) k;
      end if;

      for report in
        select * from jsonb_to_recordset(reports) as r(
          index integer, account text, month date, lease bigint, number text, hash text, uuid text,
          status text, code text, suppress text, retries boolean, units smallint, billed bigint)
        cross join lateral (
          select (select min(x.message_key) from leases x
            where x.month = r.month and x.id = r.lease and x.account_id = r.account) as message_key
        ) o
        -- Attempts are written in the order of their recipients, as whoever records or fences leases writes them.
        order by r.account, r.month, o.message_key, (
          select min(x.recipient) from recipients x
          where x.number_hash = decode(r.hash, 'hex') and x.month = r.month and x.campaign_key = (
            select y.campaign_key from leases y
            where y.month = r.month and y.id = r.lease and y.account_id = r.account)
        ), r.lease, r.index
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
          select r.recipient, 1, r.recipient - first_of_cohort into person, attempt_no, place from recipients r
            where r.month = lease.month and r.campaign_key = lease.campaign_key
              and (r.number = report.number or r.number_hash = decode(report.hash, 'hex'))
              and r.recipient between first_of_cohort + lease.ordinal_first and first_of_cohort + lease.ordinal_last;
        else
          select m.recipient, m.attempt, m.ordinal into person, attempt_no, place
            from wave_members m join recipients r
              on r.month = m.month and r.campaign_key = lease.campaign_key and r.recipient = m.recipient
            where m.month = lease.month and m.wave_id = wave.id
              and m.ordinal between lease.ordinal_first and lease.ordinal_last
              and (r.number = report.number or r.number_hash = decode(report.hash, 'hex'));
        end if;
        if person is null or (exists (
          select from outcomes o where o.month = lease.month and o.message_key = lease.message_key
            and o.recipient = person and o.attempt = 0
        ) and not exists (
          select from attempts a where a.month = lease.month and a.message_key = lease.message_key
            and a.recipient = person and a.attempt = attempt_no
        )) then
          verdict := 'mismatch';
          person := null;
          return next;
          continue;
        end if;

        -- The worker's record is still to come, and then finds the row there: what the lease claimed for him counts.
        place := place - lease.ordinal_first + 1;
        share_segments := coalesce(lease.segments_each[place],
          round(lease.segments::numeric / greatest(1, lease.width)));
        share_cost := coalesce(lease.micro_usd_each[place], lease.cost_micro_usd / greatest(1, lease.width));
        insert into attempts (month, account_id, message_key, recipient, attempt, lease_id, result, cause,
                              carrier_uuid, segments, cost_micro_usd)
          values (lease.month, lease.account_id, lease.message_key, person, attempt_no, lease.id, 'accepted',
                  'status_report', report.uuid, share_segments, share_cost)
          on conflict do nothing;
        get diagnostics inserted = row_count;
        if inserted = 1 then
          counters := counters || array['accepted', 'segments', 'estimate_micro_usd'];
          amounts := amounts || array[1, share_segments, share_cost]::bigint[];
          keys := keys || array[lease.message_key, lease.message_key, lease.message_key];
          accounts_of := accounts_of || array[lease.account_id, lease.account_id, lease.account_id];
          if wave.repeats then
            perform leave_former_state(lease.month, lease.message_key, person, attempt_no);
          elsif attempt_no > 1 then
            counters := counters || 'left_deferral'::text;
            amounts := amounts || 1::bigint;
            keys := keys || lease.message_key;
            accounts_of := accounts_of || lease.account_id;
          end if;
          if wave.round is not null then
            counters := counters || ('round:' || wave.round || ':accepted');
            amounts := amounts || 1::bigint;
            keys := keys || lease.message_key;
            accounts_of := accounts_of || lease.account_id;
          end if;
          is_superseded := false;
        else
          is_superseded := lease.message_key = any(repeated) and exists (
            select from attempts x where x.month = lease.month and x.message_key = lease.message_key
              and x.recipient = person and x.attempt > attempt_no and x.result <> 'not_accepted');
          select * into known from attempts a where a.month = lease.month
            and a.message_key = lease.message_key and a.recipient = person and a.attempt = attempt_no;
          -- Whom a request in bulk form was about is bound to the uuid under which he was reported first, and so is an
          -- unknown one that was resolved.
          bound_uuid := coalesce(known.carrier_uuid, (
            select min(o.carrier_uuid) from outcomes o where o.month = lease.month
              and o.message_key = lease.message_key and o.recipient = person and o.attempt = attempt_no));
          if known.result in ('rejected', 'not_accepted') or bound_uuid <> report.uuid then
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
            if inserted = 1 and is_superseded then
              null;
            elsif inserted = 1 then
              counters := counters || array['accepted', 'resolved'];
              amounts := amounts || array[1, 1]::bigint[];
              keys := keys || array[lease.message_key, lease.message_key];
              accounts_of := accounts_of || array[lease.account_id, lease.account_id];
            else
              -- Somebody else resolved it meanwhile.
              select o.carrier_uuid into bound_uuid from outcomes o where o.month = lease.month
                and o.message_key = lease.message_key and o.recipient = person
                and o.attempt = attempt_no and o.stage = 'resolved';
              if bound_uuid <> report.uuid then
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
          if inserted = 1 and not is_superseded then
            counters := counters || 'sent'::text;
            amounts := amounts || 1::bigint;
            keys := keys || lease.message_key;
            accounts_of := accounts_of || lease.account_id;
          elsif inserted = 0 then
            verdict := 'repeated';
          end if;
        elsif report.status in ('delivered', 'undelivered', 'failed') then
          insert into outcomes (month, account_id, message_key, recipient, attempt, stage, status, reason, carrier_uuid, units, billed_micro_usd)
            values (lease.month, lease.account_id, lease.message_key, person, attempt_no, 'final', report.status, report.code, report.uuid, report.units, report.billed)
            on conflict do nothing;
          get diagnostics inserted = row_count;
          if inserted = 1 then
            final_counter := report.status || case when report.status = 'delivered' then '' else ':' || coalesce(report.code, 'none') end;
            if not is_superseded then
              counters := counters || final_counter;
              amounts := amounts || 1::bigint;
              keys := keys || lease.message_key;
              accounts_of := accounts_of || lease.account_id;
            end if;
            if wave.round is not null then
              counters := counters || ('round:' || wave.round || ':' || report.status);
              amounts := amounts || 1::bigint;
              keys := keys || lease.message_key;
              accounts_of := accounts_of || lease.account_id;
            end if;
            -- A campaign that rests sends nobody anything by itself: its failures wait for a round.
            if report.status = 'failed' and report.retries and not is_superseded and exists (
              select from campaigns c where c.key = lease.campaign_key and c.deleted_at is null
                and c.status in ('processing', 'ready', 'scheduled', 'started', 'sending', 'paused', 'suspended', 'stopped')
            ) then
              insert into retries (account_id, month, message_key, recipient, attempt, why, code)
                values (lease.account_id, lease.month, lease.message_key, person, attempt_no, 'failed', report.code)
                on conflict do nothing;
            end if;
            select * into known from attempts a where a.month = lease.month
              and a.message_key = lease.message_key and a.recipient = person and a.attempt = attempt_no;
            if report.suppress is not null and report.status <> 'delivered' then
              suppressed := suppressed || jsonb_build_object('account', lease.account_id, 'month', lease.month,
                'campaign', lease.campaign_key, 'recipient', person, 'kind', report.suppress, 'code', report.code);
            end if;
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

      -- After everything else and in one order for everybody, so that two batches about the same people never wait
      -- for each other. Of somebody who was erased nothing but the hash is there to be written.
      for added_one in
        with told as (
          select distinct on (r.account_id, r.number_hash, x.what->>'kind')
            r.account_id, r.number_hash, r.number, x.what->>'kind' as kind, x.what->>'code' as code
          from unnest(suppressed) as x(what) join recipients r on r.month = (x.what->>'month')::date
            and r.campaign_key = (x.what->>'campaign')::bigint and r.recipient = (x.what->>'recipient')::integer
          order by 1, 2, 4
        ), added as (
          insert into suppressions (account_id, number_hash, number, kind, source)
          select t.account_id, t.number_hash, t.number, t.kind, 'carrier' from told t order by 1, 2, 4
          on conflict do nothing
          returning suppressions.account_id, suppressions.number_hash, suppressions.kind
        )
        insert into suppression_history (account_id, number_hash, kind, what, source, reason, who, via)
        select a.account_id, a.number_hash, a.kind, 'added', 'carrier', 'The carrier reported code ' || t.code || '.',
          'system', 'system'
        from added a join told t using (account_id, number_hash, kind)
        returning account_id, number_hash
      loop
        perform pg_notify('carillon_suppressions',
          '+' || added_one.account_id || ' ' || encode(added_one.number_hash, 'hex'));
      end loop;
    end $fn$;

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
            and x.result = 'accepted'
            -- Whoever has no uuid of his own was posted in bulk form, and what is known of him already names one.
            and (x.carrier_uuid = r.uuid or x.carrier_uuid is null and not exists (
              select from outcomes o where o.month = x.month and o.message_key = x.message_key
                and o.recipient = x.recipient and o.attempt = x.attempt and o.carrier_uuid <> r.uuid)) offset 0
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

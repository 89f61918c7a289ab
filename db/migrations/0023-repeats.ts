import { type Kysely, sql } from 'kysely';

/**
 * New attempts for recipients whom the carrier had taken, or may have: after `failed`, and in rounds. Each stays what
 * he was until a new attempt has a result, so whoever is left out of it, or certainly not accepted, falls back to it.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table waves
      add column repeats boolean not null default false,
      add column round integer;
    comment on column waves.repeats is
      'Its members had an attempt before that was taken or may have been, and stay what they were until a new one has a result.';
    comment on column waves.round is 'The number of the round that ordered it, within the campaign.';
    create index waves_repeating on waves (message_key) where repeats;
    alter table wave_members add column left_out text;
    comment on column wave_members.left_out is 'Why he was not tried again, in a wave that repeats.';
    create index outcomes_failed on outcomes (message_key, recipient) where status = 'failed';

    create table retries (
      account_id text not null,
      month date not null,
      message_key bigint not null,
      recipient integer not null,
      attempt smallint not null,
      why text not null,
      code text,
      noted_at timestamptz not null default clock_timestamp(),
      primary key (month, message_key, recipient, attempt)
    );
    comment on table retries is
      'Attempts after which a new one may follow by itself, until the campaign''s workflow has decided it at its own time.';
    create index on retries (message_key);
    select protect_tenant_table('retries');

    create function lock_repeats(of_message bigint) returns void
    language sql set search_path = public, pg_temp as $fn$
      select pg_advisory_xact_lock(hashtextextended('repeats ' || of_message::text, 0))
    $fn$;

    -- A new attempt has a result: what his last one that was taken, or may have been, counted for counts no more.
    create function leave_former_state(of_month date, of_message bigint, person integer, newer smallint) returns void
    language plpgsql set search_path = public, pg_temp as $fn$
    declare
      former attempts%rowtype;
      final record;
      doubt text;
      gone text[];
    begin
      select * into former from attempts a where a.month = of_month and a.message_key = of_message
        and a.recipient = person and a.attempt < newer and a.result <> 'not_accepted'
        order by a.attempt desc limit 1;
      if not found then
        return;
      end if;
      if former.result = 'unknown' then
        select u.state into doubt from unknowns u where u.month = of_month and u.message_key = of_message
          and u.recipient = person and u.attempt = former.attempt for update;
      end if;
      if doubt in ('open', 'absent', 'final') then
        update unknowns u set state = 'superseded' where u.month = of_month and u.message_key = of_message
          and u.recipient = person and u.attempt = former.attempt;
        gone := array['unknown'] || case when doubt = 'open' then '{}'::text[] else array[doubt] end;
      elsif former.result = 'rejected' then
        gone := array['rejected:' || coalesce(former.cause, 'none')];
      else
        gone := array['accepted'];
        select o.status, o.reason into final from outcomes o where o.month = of_month and o.message_key = of_message
          and o.recipient = person and o.attempt = former.attempt and o.stage = 'final';
        if found then
          gone := gone || case final.status when 'delivered' then 'delivered'
            else final.status || ':' || coalesce(final.reason, 'none') end;
        end if;
      end if;
      insert into rollup_deltas (account_id, message_key, counter, delta)
        select former.account_id, of_message, x.counter, -1 from unnest(gone) x(counter);
    end $fn$;

    create or replace function resolve_unknown() returns trigger
    language plpgsql set search_path = public, pg_temp as $fn$
    declare
      before text;
      in_round integer;
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
      select w.round into in_round from attempts a join leases l on l.month = a.month and l.id = a.lease_id
        join waves w on w.id = l.wave_id
        where a.month = new.month and a.message_key = new.message_key and a.recipient = new.recipient
          and a.attempt = new.attempt;
      if in_round is not null then
        insert into rollup_deltas (account_id, message_key, counter, delta) values
          (new.account_id, new.message_key, 'round:' || in_round || ':unknown', -1),
          (new.account_id, new.message_key, 'round:' || in_round || ':accepted', 1);
      end if;
      return null;
    end $fn$;

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
      known attempts%rowtype;
      resolved_uuid text;
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
            where r.month = lease.month and r.campaign_key = lease.campaign_key
              and (r.number = report.number or r.number_hash = decode(report.hash, 'hex'))
              and r.recipient between first_of_cohort + lease.ordinal_first and first_of_cohort + lease.ordinal_last;
        else
          select m.recipient, m.attempt into person, attempt_no
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
        share_segments := coalesce(report.units, round(lease.segments::numeric / greatest(1, lease.width)));
        share_cost := lease.cost_micro_usd / greatest(1, lease.width);
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
            if inserted = 1 and is_superseded then
              null;
            elsif inserted = 1 then
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
    end $fn$;`.execute(db);
}

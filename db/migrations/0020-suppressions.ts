import { type Kysely, sql } from 'kysely';

/**
 * What became of suppressions, number by number, and suppressions by the carrier's codes. Numbers in the ledger may
 * be erased from here on: a report about somebody who was erased finds him by the keyed hash.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table suppressions
      add column reason text,
      add column added_by text not null default 'system',
      add column import_id text;
    create index suppressions_of_account on suppressions (account_id, id);

    create table suppression_history (
      id bigint generated always as identity primary key,
      account_id text not null,
      number_hash bytea not null,
      kind text not null,
      sender_id text,
      what text not null,
      source text not null,
      reason text,
      import_id text,
      who text not null,
      via text not null,
      key_id text,
      at timestamptz not null default clock_timestamp()
    );
    comment on table suppression_history is
      'Appended to, never changed; an erasure alone takes the words of the reason away, which may name somebody.';
    create index on suppression_history (account_id, number_hash, id);
    select protect_tenant_table('suppression_history');

    create function refuse_history_change() returns trigger language plpgsql as $fn$
    begin
      if tg_op = 'UPDATE' and new.reason is null and to_jsonb(new) - 'reason' = to_jsonb(old) - 'reason' then
        return new;
      end if;
      raise exception 'the history of suppressions is only appended to' using errcode = '42501';
    end $fn$;
    create trigger append_only before update or delete on suppression_history
      for each row execute function refuse_history_change();

    alter table recipients alter column number drop not null;
    comment on column recipients.number is 'Null once the person has been erased; the keyed hash goes on refusing.';
    create index on inbound_messages (account_id, number_hash, received_at);

    alter table imports
      add column subject text not null default 'contacts',
      add column suppression_kind text,
      add column suppression_reason text;
    comment on column imports.subject is 'What its rows are: contacts or suppressions.';

    alter table campaigns drop column settled;

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
    begin
      for report in
        select * from jsonb_to_recordset(reports) as r(
          index integer, account text, month date, lease bigint, number text, hash text, uuid text,
          status text, code text, suppress text, units smallint, billed bigint)
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
        if person is null or exists (
          select from outcomes o where o.month = lease.month and o.message_key = lease.message_key
            and o.recipient = person and o.attempt = 0
        ) then
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

import { type Kysely, sql } from 'kysely';

/**
 * The ledger: frozen audiences, waves, leases, attempts, outcomes and rollups.
 *
 * Recipients are numbered from 1 within their campaign; a cohort's are contiguous, in the order of a keyed
 * hash. Tables that grow with recipients are partitioned by `month`, the month their audience was frozen,
 * which is one value for every row of a campaign and part of every key.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create sequence wave_ids;
    create sequence lease_ids;
    grant usage on sequence wave_ids, lease_ids to carillon_app, carillon_system;

    create table cohorts (
      account_id text not null,
      campaign_key bigint not null references campaigns (key),
      cohort smallint not null,
      time_zone text not null,
      recipient_first integer not null,
      size integer not null,
      primary key (campaign_key, cohort)
    );
    select protect_tenant_table('cohorts');

    create table recipients (
      month date not null,
      account_id text not null,
      campaign_key bigint not null,
      recipient integer not null,
      contact_id bigint not null,
      number text not null,
      number_hash bytea not null,
      country text not null,
      primary key (month, campaign_key, recipient),
      unique (month, campaign_key, number_hash)
    ) partition by list (month);
    select protect_tenant_table('recipients');

    create table waves (
      id bigint primary key default nextval('wave_ids'),
      month date not null,
      account_id text not null,
      campaign_key bigint not null,
      message_key bigint not null references messages (key),
      cohort smallint not null,
      wave integer not null,
      size integer not null,
      next_ordinal integer not null default 0 check (next_ordinal <= size),
      due_at timestamptz,
      unique (message_key, cohort, wave)
    );
    comment on column waves.next_ordinal is 'The cursor: everybody below it has been leased or given up on.';
    comment on column waves.due_at is 'Campaign time of a later wave; null for wave 0, which the message''s due_at governs.';
    select protect_tenant_table('waves');

    create table wave_members (
      month date not null,
      account_id text not null,
      wave_id bigint not null,
      ordinal integer not null,
      recipient integer not null,
      attempt smallint not null,
      primary key (month, wave_id, ordinal)
    ) partition by list (month);
    select protect_tenant_table('wave_members');

    create table lanes (
      account_id text not null,
      message_key bigint not null references messages (key),
      lane smallint not null,
      fence integer not null default 0,
      primary key (message_key, lane)
    );
    select protect_tenant_table('lanes');

    create table leases (
      month date not null,
      id bigint not null default nextval('lease_ids'),
      account_id text not null,
      campaign_key bigint not null,
      message_key bigint not null,
      wave_id bigint not null,
      ordinal_first integer not null,
      ordinal_last integer not null,
      lane smallint not null,
      fence integer not null,
      sender_id text not null,
      width integer not null,
      recorded integer not null default 0,
      segments integer not null,
      cost_micro_usd bigint not null,
      spend_month text not null,
      opened_at timestamptz not null default clock_timestamp(),
      closed_at timestamptz,
      primary key (month, id)
    ) partition by list (month);
    create index leases_open on leases (message_key, lane) where closed_at is null;
    create index leases_open_campaign on leases (campaign_key) where closed_at is null;
    comment on column leases.width is 'How many of its range are texted; the others were refused when it was made.';
    select protect_tenant_table('leases');

    create table attempts (
      month date not null,
      account_id text not null,
      message_key bigint not null,
      recipient integer not null,
      attempt smallint not null,
      lease_id bigint not null,
      request smallint,
      result text not null,
      cause text,
      carrier_uuid text,
      segments smallint not null,
      cost_micro_usd bigint not null,
      recorded_at timestamptz not null default clock_timestamp(),
      primary key (month, message_key, recipient, attempt)
    ) partition by list (month);
    comment on table attempts is 'Written once, never changed: what became of one request for one recipient.';
    comment on column attempts.cost_micro_usd is 'The estimate; what the carrier bills stands in the final outcome.';
    select protect_tenant_table('attempts');

    create table outcomes (
      month date not null,
      account_id text not null,
      message_key bigint not null,
      recipient integer not null,
      attempt smallint not null,
      stage text not null,
      status text not null,
      reason text,
      carrier_uuid text,
      units smallint,
      billed_micro_usd bigint,
      recorded_at timestamptz not null default clock_timestamp(),
      primary key (month, message_key, recipient, attempt, stage)
    ) partition by list (month);
    comment on table outcomes is
      'Written once, never changed. Stages: resolved (an unknown that turned out accepted), sent, final. '
      'Attempt 0 at stage final says why a recipient is not texted: skipped or expired.';
    select protect_tenant_table('outcomes');

    create table rollups (
      account_id text not null,
      message_key bigint not null,
      counter text not null,
      value bigint not null,
      primary key (message_key, counter)
    );
    select protect_tenant_table('rollups');

    create table rollup_deltas (
      id bigint generated always as identity primary key,
      account_id text not null,
      message_key bigint not null,
      counter text not null,
      delta bigint not null
    );
    create index on rollup_deltas (message_key);
    select protect_tenant_table('rollup_deltas');

    create function ensure_month(wanted date) returns void
    language plpgsql security definer set search_path = public, pg_temp as $fn$
    declare
      parent text;
      part text;
    begin
      if wanted <> date_trunc('month', wanted)::date then
        raise exception 'a ledger month is named by its first day, not by %', wanted;
      end if;
      if to_regclass('outcomes_' || to_char(wanted, 'YYYYMM')) is not null then
        return;
      end if;
      perform pg_advisory_xact_lock(hashtext('carillon ledger months'));
      foreach parent in array array['recipients', 'wave_members', 'leases', 'attempts', 'outcomes'] loop
        part := parent || '_' || to_char(wanted, 'YYYYMM');
        if to_regclass(part) is null then
          execute format('create table %I partition of %I for values in (%L)', part, parent, wanted);
          -- Nobody is granted the partition itself, and its own policy would refuse him all the same.
          execute format('alter table %I enable row level security', part);
          execute format('alter table %I force row level security', part);
          execute format(
            'create policy tenant on %I to carillon_app using (account_id = (select current_setting(''app.account'', true)))',
            part);
        end if;
      end loop;
    end $fn$;
    revoke all on function ensure_month(date) from public;
    grant execute on function ensure_month(date) to carillon_app;`.execute(db);
}

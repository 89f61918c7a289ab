import { type Kysely, sql } from 'kysely';

/** Campaigns with their messages, the actions on them, holds and gates, and the log. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table media (
      id text primary key,
      account_id text not null references accounts,
      content_type text not null,
      bytes integer not null,
      token text not null unique,
      content bytea not null,
      created_at timestamptz not null default clock_timestamp()
    );
    alter table media alter column content set storage external;
    select protect_tenant_table('media');

    create table campaigns (
      id text primary key,
      key bigint generated always as identity unique,
      account_id text not null references accounts,
      kind text not null default 'standard',
      type text not null default 'outbound',
      channel text not null default 'sms',
      name text,
      sender_id text references senders,
      owner_id text references people,
      purpose text,
      acknowledged_at timestamptz,
      acknowledged_by text,
      status text not null default 'draft',
      start_mode text,
      launched_at timestamptz,
      first_due_at timestamptz,
      prepared_at timestamptz,
      audience_timing text not null default 'due',
      audience_month date,
      audience_size integer,
      audience_frozen_at timestamptz,
      ever_leased boolean not null default false,
      was_restarted boolean not null default false,
      content_overruled_by text,
      status_reasons jsonb not null default '[]',
      settled boolean not null default false,
      finished_at timestamptz,
      archived_at timestamptz,
      deleted_at timestamptz,
      created_by text not null,
      created_at timestamptz not null default clock_timestamp(),
      version integer not null default 1
    );
    comment on column campaigns.launched_at is 'Campaign time, as every instant here that decides something.';
    create unique index campaigns_name on campaigns (account_id, lower(name)) where deleted_at is null;
    create index on campaigns (account_id, status) where deleted_at is null;
    create index on campaigns (account_id, created_at, id) where deleted_at is null;
    create index on campaigns (status)
      where status in ('processing', 'ready', 'scheduled', 'started', 'sending', 'paused', 'suspended');
    select protect_tenant_table('campaigns');

    create table campaign_lists (
      account_id text not null,
      campaign_id text not null references campaigns,
      list_id text not null,
      excluded boolean not null default false,
      primary key (campaign_id, list_id)
    );
    create index on campaign_lists (list_id);
    select protect_tenant_table('campaign_lists');

    create table messages (
      id text primary key,
      key bigint generated always as identity unique,
      account_id text not null,
      campaign_id text not null references campaigns,
      position integer not null,
      type text not null default 'standard',
      text text not null default '',
      media_ids text[] not null default '{}',
      schedule_local text,
      schedule_zone text,
      due_at timestamptz,
      expires_after_ms bigint not null default 86400000,
      expires_at timestamptz,
      status text not null default 'draft',
      texting boolean not null default false,
      began_at timestamptz,
      ended_at timestamptz,
      version integer not null default 1,
      unique (campaign_id, position) deferrable initially deferred
    );
    comment on column messages.due_at is 'The schedule as last resolved: when it is due for the campaign.';
    comment on column messages.texting is 'Lanes work on it at this moment; decides sending or started.';
    select protect_tenant_table('messages');

    create table actions (
      id text primary key,
      account_id text not null,
      campaign_id text not null references campaigns,
      name text not null,
      args jsonb not null default '{}',
      state text not null default 'requested',
      result jsonb,
      via text not null,
      requested_by text not null,
      signal_key text unique,
      requested_at timestamptz not null default clock_timestamp(),
      answered_at timestamptz
    );
    create index on actions (campaign_id, id);
    create index on actions (state) where state = 'requested';
    select protect_tenant_table('actions');

    create table gates (
      scope_id text primary key,
      holds integer not null default 0 check (holds >= 0)
    );
    comment on table gates is
      'Open at 0 holds. Says nothing about anybody, so that a lease can read its parent''s; a missing row refuses.';
    grant select, insert, update, delete on gates to carillon_app, carillon_system;
    insert into gates (scope_id) values ('installation');

    create table holds (
      id text primary key,
      account_id text not null,
      scope text not null,
      scope_id text not null,
      kind text not null,
      cause text,
      reason text not null,
      placed_by text not null,
      placed_at timestamptz not null default clock_timestamp(),
      lifted_at timestamptz
    );
    create index on holds (scope_id) where lifted_at is null;
    select protect_tenant_table('holds');

    create table campaign_log (
      id bigint generated always as identity primary key,
      account_id text not null,
      campaign_id text not null,
      at timestamptz not null default clock_timestamp(),
      what text not null,
      from_status text,
      to_status text,
      action_id text,
      who text not null,
      via text not null,
      detail jsonb not null default '{}'
    );
    create index on campaign_log (campaign_id, id);
    select protect_tenant_table('campaign_log');

    create table refused_phrases (
      id text primary key,
      phrase text not null,
      reason text not null,
      effective_from date not null,
      effective_to date,
      created_at timestamptz not null default clock_timestamp()
    );
    grant select, insert, update, delete on refused_phrases to carillon_app, carillon_system;`.execute(db);
}

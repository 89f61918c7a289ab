import { type Kysely, sql } from 'kysely';

/** Accounts, the people who work for them, their keys and send-as numbers, and the carrier's credentials. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table accounts (
      id text primary key,
      name text not null,
      time_zone text not null,
      sender_name text not null,
      quiet_start text not null default '20:00',
      quiet_end text not null default '08:00',
      default_country text not null,
      countries text[] not null,
      spend_limit_micro_usd bigint,
      parent_id text references accounts,
      settings_version integer not null default 1,
      version integer not null default 1,
      created_at timestamptz not null default clock_timestamp()
    );
    select protect_tenant_table('accounts', 'id');

    create table people (
      id text primary key,
      account_id text not null references accounts,
      name text not null,
      address text not null,
      disabled_at timestamptz,
      version integer not null default 1,
      created_at timestamptz not null default clock_timestamp()
    );
    create index on people (account_id);
    select protect_tenant_table('people');

    create table api_keys (
      id text primary key,
      account_id text not null,
      name text not null,
      prefix text not null unique,
      hash bytea not null,
      scopes text[] not null,
      expires_at timestamptz,
      revoked_at timestamptz,
      created_at timestamptz not null default clock_timestamp()
    );
    comment on column api_keys.account_id is 'The account, or the word operator.';
    create index on api_keys (account_id);
    select protect_tenant_table('api_keys');

    create table carrier_accounts (
      id text primary key,
      name text not null,
      carrier text not null,
      auth_id text,
      auth_token_sealed text,
      requests_max integer not null default 300,
      requests_window_ms integer not null default 5000,
      requests_at_once_max integer not null default 100,
      next_request_at timestamptz not null default '-infinity',
      paused_until timestamptz not null default '-infinity',
      created_at timestamptz not null default clock_timestamp()
    );
    comment on table carrier_accounts is
      'Belongs to the installation. Null credentials mean those of the environment.';
    grant select, insert, update on carrier_accounts to carillon_app, carillon_system;

    create table senders (
      id text primary key,
      account_id text not null references accounts,
      address text not null,
      type text not null,
      supports_mms boolean not null,
      registration text not null,
      segments_per_second integer,
      mms_per_second integer,
      carrier_account_id text not null references carrier_accounts,
      disabled_at timestamptz,
      version integer not null default 1,
      created_at timestamptz not null default clock_timestamp(),
      unique (account_id, address)
    );
    create unique index senders_inbound on senders (carrier_account_id, address) where type <> 'alphanumeric';
    select protect_tenant_table('senders');

    create table sender_paces (
      sender_id text not null references senders on delete cascade,
      kind text not null,
      account_id text not null,
      next_free_at timestamptz not null default '-infinity',
      slowed_until timestamptz not null default '-infinity',
      primary key (sender_id, kind)
    );
    select protect_tenant_table('sender_paces');

    create table spend_months (
      account_id text not null references accounts,
      month text not null,
      spent_micro_usd bigint not null default 0,
      primary key (account_id, month)
    );
    select protect_tenant_table('spend_months');

    create table idempotency_keys (
      account_id text not null,
      api_key_id text not null,
      key text not null,
      request_hash text not null,
      status integer,
      body jsonb,
      headers jsonb,
      created_at timestamptz not null default clock_timestamp(),
      primary key (account_id, api_key_id, key)
    );
    create index on idempotency_keys (created_at);
    select protect_tenant_table('idempotency_keys');`.execute(db);
}

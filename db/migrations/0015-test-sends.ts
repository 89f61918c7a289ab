import { type Kysely, sql } from 'kysely';

/** Test numbers of an account, and the texts that were sent to them on trial. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table test_numbers (
      id text primary key,
      account_id text not null references accounts,
      number text not null,
      number_hash bytea not null,
      country text not null,
      name text,
      created_at timestamptz not null default clock_timestamp(),
      unique (account_id, number)
    );
    select protect_tenant_table('test_numbers');

    create table test_sends (
      id text primary key,
      key bigint generated always as identity unique,
      account_id text not null references accounts,
      campaign_id text not null references campaigns,
      message_id text not null,
      sender_id text not null references senders,
      contact_id bigint,
      number text,
      number_hash bytea not null,
      country text not null,
      kind text not null,
      text text,
      media_ids text[] not null,
      segments integer not null,
      cost_micro_usd bigint not null,
      spend_month text,
      in_quiet_hours boolean not null,
      requested_by text not null,
      requested_at timestamptz not null default clock_timestamp(),
      state text not null default 'requested',
      cause text,
      answered_at timestamptz,
      carrier_uuid text,
      outcome text,
      error_code text,
      billed_micro_usd bigint
    );
    create index on test_sends (message_id, key);
    create index on test_sends (campaign_id);
    create index on test_sends (state) where state in ('requested', 'posting');
    comment on table test_sends is
      'Outside every report. A row is posting before its text goes out, and what a worker that died left so becomes unknown.';
    comment on column test_sends.text is 'Until it has been posted; it holds what is known of the contact.';
    comment on column test_sends.in_quiet_hours is 'Whoever ordered it has confirmed that it may go out in quiet hours.';
    select protect_tenant_table('test_sends');

    create function test_sends_to_run(how_many integer) returns table (id text, account_id text)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select t.id, t.account_id from test_sends t where t.state in ('requested', 'posting') limit how_many
    $fn$;
    alter function test_sends_to_run(integer) owner to carillon_system;
    revoke all on function test_sends_to_run(integer) from public;
    grant execute on function test_sends_to_run(integer) to carillon_app;`.execute(db);
}

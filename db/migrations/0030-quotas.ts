import { type Kysely, sql } from 'kysely';

/** What several senders may send together: a rate and a daily cap, such as a carrier campaign's or a brand's. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table quotas (
      id text primary key,
      account_id text not null references accounts,
      name text not null,
      rate_units integer,
      rate_period text not null default 'second',
      day_units integer,
      reset_zone text not null default 'America/Los_Angeles',
      share_percent smallint not null default 100,
      version integer not null default 1,
      created_at timestamptz not null default clock_timestamp()
    );
    create unique index quotas_name on quotas (account_id, lower(name));
    comment on table quotas is 'Units are segments of SMS and whole MMS. Null is no limit.';
    comment on column quotas.share_percent is
      'So much of each text counts: a carrier''s limit concerns its own network only, which is not known before a send.';
    select protect_tenant_table('quotas');

    create table quota_uses (
      quota_id text primary key references quotas on delete cascade,
      account_id text not null,
      next_free_at timestamptz not null default '-infinity',
      day text not null default '',
      day_hundredths bigint not null default 0
    );
    comment on table quota_uses is 'Apart from the settings, since every lease of its senders writes it.';
    comment on column quota_uses.day is 'The newest day in the quota''s zone, in campaign time, for which something was leased.';
    comment on column quota_uses.day_hundredths is 'Units of that day times the share in percent.';
    select protect_tenant_table('quota_uses');

    create table sender_quotas (
      account_id text not null,
      sender_id text not null references senders on delete cascade,
      quota_id text not null references quotas on delete cascade,
      primary key (sender_id, quota_id)
    );
    create index on sender_quotas (quota_id);
    select protect_tenant_table('sender_quotas');`.execute(db);
}

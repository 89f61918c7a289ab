import { type Kysely, sql } from 'kysely';

/** One append-only log for accounts and campaigns, and the alerts. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table log (
      id bigint generated always as identity primary key,
      account_id text not null,
      campaign_id text,
      subject_kind text not null,
      subject_id text not null,
      at timestamptz not null default clock_timestamp(),
      what text not null,
      from_value jsonb,
      to_value jsonb,
      action_id text,
      who text not null,
      key_id text,
      via text not null,
      detail jsonb not null default '{}'
    );
    comment on table log is 'Append-only: nobody but the owner of the schema could change a line, and a trigger stops him.';
    comment on column log.account_id is 'The account, or the word operator for what is done at the installation.';
    comment on column log.who is 'A person, else a key, else the word system or temporal.';
    comment on column log.from_value is 'A status, or an object of the fields that changed. Never a number, text or secret.';

    -- Without this, a role that is not a superuser would carry over nothing, and drop it.
    alter table campaign_log no force row level security;
    insert into log (account_id, campaign_id, subject_kind, subject_id, at, what, from_value, to_value,
                     action_id, who, via, detail)
      select account_id, campaign_id, 'campaign', campaign_id, at, what, to_jsonb(from_status), to_jsonb(to_status),
             action_id, who, via, detail
      from campaign_log order by id;
    drop table campaign_log;

    create index on log (account_id, at, id);
    create index on log (campaign_id, at, id) where campaign_id is not null;
    create index on log (account_id, subject_id, at, id);
    select protect_tenant_table('log');
    revoke update, delete on log from carillon_app, carillon_system;
    create function refuse_log_change() returns trigger language plpgsql as $fn$
    begin
      raise exception 'A line of the log is never changed or removed.' using errcode = 'insufficient_privilege';
    end $fn$;
    create trigger append_only before update or delete on log for each row execute function refuse_log_change();
    create trigger append_only_whole before truncate on log for each statement execute function refuse_log_change();

    alter table actions add column key_id text;
    comment on column actions.key_id is 'The key that was used, also when a person acts; null for Temporal.';

    create table alerts (
      id text primary key,
      account_id text not null,
      kind text not null,
      severity text not null,
      subject_kind text not null,
      subject_id text not null,
      campaign_id text,
      cause text not null,
      reason text not null,
      remedy text not null,
      count integer not null default 1,
      first_seen_at timestamptz not null default clock_timestamp(),
      last_seen_at timestamptz not null default clock_timestamp(),
      acknowledged_at timestamptz,
      acknowledged_by text,
      resolved_at timestamptz,
      version integer not null default 1
    );
    comment on table alerts is 'What needs somebody: one row a cause, as long as the cause lasts.';
    create unique index alerts_open on alerts (account_id, kind, subject_id, cause) where resolved_at is null;
    create index on alerts (account_id, last_seen_at, id);
    create index on alerts (campaign_id, last_seen_at) where campaign_id is not null;
    select protect_tenant_table('alerts');`.execute(db);
}

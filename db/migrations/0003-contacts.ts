import { type Kysely, sql } from 'kysely';

/** Contacts, lists, imports and suppressions. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    -- No foreign key from contacts or their memberships: looked up row by row, the three would cost an import a
    -- third of its time. Accounts stay, whoever adds a member holds a lock on list and contact, and the triggers
    -- below take memberships along with either.
    create table contacts (
      id bigint generated always as identity primary key,
      account_id text not null,
      number text not null,
      number_hash bytea not null,
      country text not null,
      first_name text,
      last_name text,
      time_zone text,
      custom jsonb not null default '{}',
      version integer not null default 1,
      created_at timestamptz not null default clock_timestamp(),
      updated_at timestamptz not null default clock_timestamp(),
      unique (account_id, number)
    );
    select protect_tenant_table('contacts');

    create table lists (
      id text primary key,
      account_id text not null references accounts,
      name text not null,
      version integer not null default 1,
      created_at timestamptz not null default clock_timestamp()
    );
    create unique index lists_name on lists (account_id, lower(name));
    select protect_tenant_table('lists');

    create table list_members (
      account_id text not null,
      list_id text not null,
      contact_id bigint not null,
      primary key (list_id, contact_id)
    );
    create index on list_members (contact_id);
    select protect_tenant_table('list_members');

    create function remove_members_of_lists() returns trigger language plpgsql as $fn$
    begin
      delete from list_members m using gone g where m.list_id = g.id;
      return null;
    end $fn$;
    create trigger members after delete on lists referencing old table as gone
      for each statement execute function remove_members_of_lists();
    create function remove_members_of_contacts() returns trigger language plpgsql as $fn$
    begin
      delete from list_members m using gone g where m.contact_id = g.id;
      return null;
    end $fn$;
    create trigger members after delete on contacts referencing old table as gone
      for each statement execute function remove_members_of_contacts();

    create table suppressions (
      id bigint generated always as identity primary key,
      account_id text not null references accounts,
      number_hash bytea not null,
      kind text not null,
      sender_id text references senders on delete cascade,
      number text,
      source text not null,
      created_at timestamptz not null default clock_timestamp(),
      unique nulls not distinct (account_id, number_hash, kind, sender_id)
    );
    comment on column suppressions.sender_id is 'Null: holds for every sender of the account.';
    comment on column suppressions.number is 'Null once the person has been erased; the keyed hash goes on refusing.';
    select protect_tenant_table('suppressions');

    create table inbound_messages (
      carrier_uuid text not null,
      account_id text not null references accounts,
      sender_id text not null references senders on delete cascade,
      number_hash bytea not null,
      number text,
      text text,
      meaning text not null,
      received_at timestamptz not null default clock_timestamp(),
      primary key (account_id, carrier_uuid)
    );
    select protect_tenant_table('inbound_messages');

    create table imports (
      id text primary key,
      account_id text not null references accounts,
      list_ids text[] not null,
      mapping jsonb,
      default_country text not null,
      status text not null,
      format jsonb,
      bytes bigint not null default 0,
      bytes_read bigint not null default 0,
      rows_read bigint not null default 0,
      rows_imported bigint not null default 0,
      rows_created bigint not null default 0,
      rows_merged bigint not null default 0,
      rows_refused bigint not null default 0,
      error jsonb,
      created_by text not null,
      created_at timestamptz not null default clock_timestamp(),
      finished_at timestamptz,
      version integer not null default 1
    );
    create index on imports (account_id, created_at);
    select protect_tenant_table('imports');

    create table import_pieces (
      account_id text not null,
      import_id text not null references imports on delete cascade,
      piece integer not null,
      content bytea not null,
      primary key (import_id, piece)
    );
    alter table import_pieces alter column content set storage external;
    select protect_tenant_table('import_pieces');

    create table import_refusals (
      account_id text not null,
      import_id text not null references imports on delete cascade,
      line bigint not null,
      reason text not null,
      field text,
      raw text,
      primary key (import_id, line)
    );
    select protect_tenant_table('import_refusals');`.execute(db);
}

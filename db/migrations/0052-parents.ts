import { type Kysely, sql } from 'kysely';

const FUNCTIONS = [
  'find_api_key(text)',
  'find_acting(text, text)',
  'readers_in_force(text[], text[])',
  'list_sub_accounts(text, text, text, boolean, integer, integer)',
  'has_sub_accounts(text)',
];

/** Parents: who may act for which sub-account, and what a sub-account lets its parent see. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table accounts
      add column central_send_at timestamptz,
      add column disabled_at timestamptz,
      add column disabled_reason text,
      add column disabled_by_operator boolean not null default false,
      add column default_sender_id text references senders;
    comment on column accounts.central_send_at is 'Since when an operator lets it send centrally; null where none does.';
    comment on column accounts.disabled_by_operator is 'Only an operator may enable it.';
    comment on column accounts.default_sender_id is 'What its parts of its parent''s campaigns are sent from, where it may be.';
    create index on accounts (parent_id, id) where parent_id is not null;

    create table grants (
      account_id text not null references accounts,
      name text not null,
      parent_id text not null references accounts,
      granted_by text not null,
      granted_at timestamptz not null default clock_timestamp(),
      primary key (account_id, name)
    );
    comment on table grants is 'What an account lets its parent see; it falls with the account''s leaving.';
    select protect_tenant_table('grants');

    drop function find_api_key(text);
    create function find_api_key(wanted_prefix text)
    returns table (id text, account_id text, hash bytea, scopes text[], expires_at timestamptz,
                   revoked_at timestamptz, use_is_old boolean, account_is_disabled boolean)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select k.id, k.account_id, k.hash, k.scopes, k.expires_at, k.revoked_at,
        coalesce(u.last_used_at < clock_timestamp() - interval '1 minute', true),
        exists (select from accounts a where a.id = k.account_id and a.disabled_at is not null)
      from api_keys k left join api_key_uses u on u.key_id = k.id where k.prefix = wanted_prefix
    $fn$;

    -- No row unless the second account is the first one's own.
    create function find_acting(parent text, named text) returns table (sees_reports boolean)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select exists (select from grants g where g.account_id = a.id and g.parent_id = a.parent_id and g.name = 'reports')
      from accounts a where a.id = named and a.parent_id = parent
    $fn$;

    -- Of these keys, each with the account that it listens to, those that still may.
    drop function keys_in_force(text[]);
    create function readers_in_force(keys text[], accounts text[]) returns table (key_id text, account_id text)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select r.key_id, r.account_id
      from unnest(keys, accounts) as r(key_id, account_id) join api_keys k on k.id = r.key_id
      where k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())
        and (k.account_id in (r.account_id, 'operator')
          or exists (select from find_acting(k.account_id, r.account_id) f where f.sees_reports))
    $fn$;

    -- A page of a parent's sub-accounts, with how many there are in all. Ids sort by when they were made.
    create function list_sub_accounts(wanted text, state_wanted text, sort_by text, descending boolean,
                                      how_many integer, how_many_before integer)
    returns table (items text[], total bigint)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      with matching as (
        select a.id, case sort_by when 'name' then lower(a.name) else a.id end as place from accounts a
        where a.parent_id = current_setting('app.account', true)
          and (wanted is null or search_form(a.name) like search_pattern(wanted))
          and (state_wanted is null or (a.disabled_at is not null) = (state_wanted = 'disabled'))
      )
      select array(
        select m.id from matching m
        order by case when descending then null else m.place end, case when descending then m.place end desc,
          case when descending then null else m.id end, m.id desc
        limit how_many offset how_many_before
      ), (select count(*) from matching)
    $fn$;

    create function has_sub_accounts(parent text) returns boolean
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select exists (select from accounts a where a.parent_id = parent and parent = current_setting('app.account', true))
    $fn$;`.execute(db);

  for (const signature of FUNCTIONS) {
    await sql`alter function ${sql.raw(signature)} owner to carillon_system`.execute(db);
    await sql`revoke all on function ${sql.raw(signature)} from public`.execute(db);
    await sql`grant execute on function ${sql.raw(signature)} to carillon_app`.execute(db);
  }
}

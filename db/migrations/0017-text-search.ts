import { type Kysely, sql } from 'kysely';

const FUNCTIONS = [
  'find_campaigns_by_name(text, text, integer)',
  'list_accounts(text, text[], text, boolean, integer, integer)',
];

/**
 * Names are found by any part, without regard to case or accents. The extensions are trusted ones: whoever may
 * create in the database may create them.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create extension if not exists unaccent with schema public;
    create extension if not exists pg_trgm with schema public;
    create extension if not exists btree_gin with schema public;

    -- Immutable, since the dictionary is named: a stored column and an index may hold what it gives.
    create function search_form(given text) returns text
    language sql immutable strict parallel safe as $fn$
      select pg_catalog.lower(public.unaccent('public.unaccent', pg_catalog.normalize(given, 'NFKC')))
    $fn$;

    -- Finds what is looked for anywhere; a pattern character in it means itself.
    create function search_pattern(wanted text) returns text
    language sql immutable strict parallel safe as $fn$
      select '%' || pg_catalog.regexp_replace(public.search_form(wanted), '([\\\\%_])', '\\\\\\1', 'g') || '%'
    $fn$;

    alter table campaigns add column name_search text generated always as (search_form(name)) stored;
    create index campaigns_name_search on campaigns using gin (account_id, name_search gin_trgm_ops)
      where deleted_at is null;
    -- The list as it is first shown, and its total.
    create index campaigns_shown on campaigns (account_id, created_at, id)
      where deleted_at is null and archived_at is null;

    -- Under a policy a pattern cannot use an index, because its operator is not leakproof: so this looks past the
    -- policy, in the one account that it is given. At most so many ids.
    create function find_campaigns_by_name(wanted_account text, wanted text, how_many integer)
    returns table (id text)
    language plpgsql stable security definer set search_path = public, pg_temp as $fn$
    begin
      -- Executed as text, so that it is planned for what is looked for.
      return query execute 'select c.id from campaigns c
        where c.account_id = $1 and c.deleted_at is null and c.name_search like $2 limit $3'
        using wanted_account, search_pattern(wanted), how_many;
    end $fn$;

    -- A page of accounts for the operator, with how many there are in all. Ids sort by when they were made.
    drop function list_account_ids(text, integer);
    create function list_accounts(wanted text, countries_wanted text[], sort_by text, descending boolean,
                                  how_many integer, how_many_before integer)
    returns table (items text[], total bigint)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      with matching as (
        select a.id, case sort_by when 'name' then lower(a.name) else a.id end as place from accounts a
        where (wanted is null or search_form(a.name) like search_pattern(wanted))
          and (countries_wanted is null or a.default_country = any(countries_wanted))
      )
      select array(
        select m.id from matching m
        order by case when descending then null else m.place end, case when descending then m.place end desc,
          case when descending then null else m.id end, m.id desc
        limit how_many offset how_many_before
      ), (select count(*) from matching)
    $fn$;`.execute(db);

  for (const signature of FUNCTIONS) {
    await sql`alter function ${sql.raw(signature)} owner to carillon_system`.execute(db);
    await sql`revoke all on function ${sql.raw(signature)} from public`.execute(db);
    await sql`grant execute on function ${sql.raw(signature)} to carillon_app`.execute(db);
  }
}

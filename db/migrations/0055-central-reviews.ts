import { type Kysely, sql } from 'kysely';

const FUNCTIONS = [
  'central_settings(text, date, boolean)',
  'central_audience(text, text[], text[], text[], integer)',
];

/** Pairs of a preset of the caller's, or those of a launched campaign of his that a restart sets going again. */
const PAIRS = `
          select q.sub_account_id, q.list_id from presets p join preset_pairs q on q.preset_id = p.id
          where p.id = $1 and p.account_id = current_setting('app.account', true) and p.deleted_at is null
          union all
          select p.sub_account_id, q.list_id
          from central_parts p join central_part_lists q on q.central_id = p.central_id and q.number = p.number
          where p.central_id = $1 and p.account_id = current_setting('app.account', true)
            and p.state not in ('done', 'aborted', 'rejected')`;

/**
 * What a parent is told before a launch: plan figures of each account. They are counted for the parent's process by
 * functions, since no row of a sub-account is the parent's to read.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table review_parts (
      account_id text not null references accounts,
      review_id text not null references reviews on delete cascade,
      number integer not null,
      sub_account_id text not null,
      figures jsonb not null,
      primary key (review_id, number)
    );
    comment on table review_parts is 'The plan figures of each account in a review of a central campaign.';
    select protect_tenant_table('review_parts');

    -- The caller's own sub-accounts in a preset or a stopped campaign of his with what a text of theirs depends on, and with the sender that
    -- would send: the account's default, else its oldest, of those that may.
    create function central_settings(wanted text, today date, with_media boolean)
    returns table (account_id text, name text, sender_name text, prefix text, suffix text, time_zone text,
                   quiet_start text, quiet_end text, countries text[], lists integer, is_held boolean,
                   sender_id text, sender_type text, segments_per_second integer, mms_per_second integer,
                   requests_max integer, window_ms integer)
    language plpgsql stable security definer set search_path = public, pg_temp as $fn$
    begin
      return query execute $q$
        with pairs as (
          select q.sub_account_id, count(*)::integer as lists from (${sql.raw(PAIRS)}) q group by 1
        )
        select a.id, a.name, a.sender_name, a.prefix, a.suffix, a.time_zone, a.quiet_start, a.quiet_end, a.countries,
          p.lists, coalesce((select g.holds > 0 from gates g where g.scope_id = a.id), true),
          s.id, s.type, s.segments_per_second, s.mms_per_second, c.requests_max, c.requests_window_ms
        from pairs p join accounts a on a.id = p.sub_account_id
          and a.parent_id = current_setting('app.account', true) and a.disabled_at is null
        left join lateral (
          select x.* from senders x
          where x.account_id = a.id and x.disabled_at is null and x.registration = 'approved'
            and coalesce(x.registration_expires_on >= $2, true) and (x.supports_mms or not $3)
          order by x.id is distinct from a.default_sender_id, x.created_at, x.id limit 1
        ) s on true
        left join carrier_accounts c on c.id = s.carrier_account_id
        order by a.id
      $q$ using wanted, today, with_media;
    end $fn$;

    -- Who would be texted of these accounts, each number once an account: how many by country and by the values of some
    -- merge fields. With a sample size so many single people of each account instead, those with the lowest keyed hashes.
    -- A sender's own suppressions hold for it only.
    create function central_audience(wanted text, accounts_wanted text[], senders_wanted text[], fields text[],
                                     sample_size integer)
    returns table (account_id text, country text, field_values text[], people integer)
    language plpgsql stable security definer set search_path = public, pg_temp as $fn$
    begin
      return query execute $q$
        with own as (
          select a.id, a.countries, w.sender_id
          from unnest($2, $3) as w(id, sender_id) join accounts a on a.id = w.id
          where a.parent_id = current_setting('app.account', true)
        ), wanted as (
          select distinct o.id as account_id, m.contact_id
          from (${sql.raw(PAIRS)}) q join own o on o.id = q.sub_account_id
          join list_members m on m.list_id = q.list_id and m.account_id = o.id
        ), permitted as (
          select w.account_id, c.country, c.number_hash, c.id,
            case when cardinality($4) = 0 then '{}'::text[] else array(
              select case f.name
                when 'firstName' then c.first_name when 'lastName' then c.last_name when 'number' then c.number
                else c.custom ->> substr(f.name, 8) end
              from unnest($4) with ordinality f(name, place) order by f.place) end as field_values
          from wanted w join contacts c on c.id = w.contact_id and c.account_id = w.account_id
          join own o on o.id = w.account_id
          left join suppressions s on s.account_id = w.account_id and s.number_hash = c.number_hash
            and (s.sender_id is null or s.sender_id = o.sender_id)
          where s.number_hash is null and c.country = any(o.countries)
        ), drawn as (
          select p.*, row_number() over (partition by p.account_id order by p.number_hash) as place
          from permitted p where $5 is not null
        )
        select p.account_id, p.country, p.field_values, count(*)::integer
        from permitted p where $5 is null group by 1, 2, 3
        union all
        select d.account_id, d.country, d.field_values, 1 from drawn d where d.place <= $5
      $q$ using wanted, accounts_wanted, senders_wanted, fields, sample_size;
    end $fn$;`.execute(db);

  for (const signature of FUNCTIONS) {
    await sql`alter function ${sql.raw(signature)} owner to carillon_system`.execute(db);
    await sql`revoke all on function ${sql.raw(signature)} from public`.execute(db);
    await sql`grant execute on function ${sql.raw(signature)} to carillon_app`.execute(db);
  }
}

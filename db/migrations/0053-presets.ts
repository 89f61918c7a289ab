import { type Kysely, sql } from 'kysely';

const FUNCTIONS = [
  'add_pairs(text, text[], text[])',
  'preset_accounts(text[], date, jsonb)',
  'preset_lists(text, text[])',
  'preset_zones(text[])',
];

/**
 * Presets: which lists of which sub-accounts a parent sends to. The rows are the parent's, what they name is not, so
 * functions look it up. They tell names, which a parent reads anyway, and faults as codes: no count and no amount.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table presets (
      id text primary key,
      account_id text not null references accounts,
      name text not null,
      version integer not null default 1,
      created_at timestamptz not null default clock_timestamp(),
      deleted_at timestamptz
    );
    comment on column presets.deleted_at is 'Its name is free again and its pairs are gone; what was sent to it still names it.';
    create unique index presets_name on presets (account_id, lower(name)) where deleted_at is null;
    select protect_tenant_table('presets');

    create table preset_pairs (
      account_id text not null,
      preset_id text not null references presets,
      sub_account_id text not null,
      list_id text not null,
      primary key (preset_id, sub_account_id, list_id)
    );
    comment on column preset_pairs.account_id is 'The parent, whose preset it is.';
    comment on column preset_pairs.list_id is 'A list of the sub-account; the pair stays when the list is deleted.';
    select protect_tenant_table('preset_pairs');

    -- Files name sub-accounts by their names.
    create index accounts_name_of_parent on accounts (parent_id, lower(btrim(name))) where parent_id is not null;
    create index on senders (account_id, created_at, id);

    -- Adds pairs to a preset of the caller's and says of each what became of it. Accounts and lists are given by their
    -- ids or names; what has the form of an id is one. Executed as text, so that it is planned for as many as there are.
    create function add_pairs(wanted text, sub_accounts text[], lists text[])
    returns table (place integer, verdict text)
    language plpgsql security definer set search_path = public, pg_temp as $fn$
    declare
      parent text := current_setting('app.account', true);
    begin
      perform from presets p where p.id = wanted and p.account_id = parent and p.deleted_at is null;
      if not found then
        return;
      end if;
      return query execute $q$
        with given as (
          select g.account, g.list, g.place from unnest($3, $4) with ordinality as g(account, list, place)
        ), found as (
          select a.id as named, a.id, 1::bigint as how_many from accounts a where a.parent_id = $1 and a.id = any($3)
          union all
          select n.named, min(a.id), count(*)
          from (select distinct g.account as named from given g where g.account !~ '^acc_[0-9a-z]{13,26}$') n
            join accounts a on a.parent_id = $1 and lower(btrim(a.name)) = lower(n.named)
          group by n.named
        ), resolved as (
          select g.place, f.id as sub_account_id, f.how_many, coalesce(i.id, n.id) as list_id,
            row_number() over (partition by f.id, coalesce(i.id, n.id) order by g.place) as nth
          from given g left join found f on f.named = g.account
            left join lists i on i.id = g.list and i.account_id = f.id and f.how_many = 1
            left join lists n on i.id is null and g.list !~ '^lst_[0-9a-z]{13,26}$'
              and n.account_id = f.id and f.how_many = 1 and lower(n.name) = lower(g.list)
        ), added as (
          insert into preset_pairs (account_id, preset_id, sub_account_id, list_id)
          select $1, $2, r.sub_account_id, r.list_id from resolved r where r.list_id is not null and r.nth = 1
          order by r.sub_account_id, r.list_id
          on conflict do nothing returning sub_account_id, list_id
        )
        select r.place::integer, case
            when r.sub_account_id is null then 'foreign_account'
            when r.how_many > 1 then 'ambiguous_account'
            when r.list_id is null then 'no_list'
            when d.list_id is not null and r.nth = 1 then 'added'
            else 'known'
          end
        from resolved r left join added d on d.sub_account_id = r.sub_account_id and d.list_id = r.list_id
      $q$ using parent, wanted, sub_accounts, lists;
    end $fn$;

    -- The time zones of the accounts in presets of the caller's, so that he can say which month it is there.
    create function preset_zones(wanted text[]) returns table (zone text)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select distinct a.time_zone
      from presets p join preset_pairs q on q.preset_id = p.id
        join accounts a on a.id = q.sub_account_id and a.parent_id = p.account_id
      where p.id = any(wanted) and p.account_id = current_setting('app.account', true)
    $fn$;

    -- The accounts in presets of the caller's, with what is wrong with each: today is the day in UTC, months says by
    -- time zone which month it is. Of one that is not his own any more nothing is told but that.
    create function preset_accounts(wanted text[], today date, months jsonb)
    returns table (preset_id text, sub_account_id text, name text, time_zone text, lists integer, faults text[])
    language plpgsql stable security definer set search_path = public, pg_temp as $fn$
    begin
      return query execute $q$
        with pairs as (
          select q.preset_id, q.sub_account_id, count(*)::integer as lists, bool_or(l.id is null) as lacks_list
          from presets p join preset_pairs q on q.preset_id = p.id
            left join lists l on l.id = q.list_id and l.account_id = q.sub_account_id
          where p.id = any($1) and p.account_id = current_setting('app.account', true) and p.deleted_at is null
          group by 1, 2
        ), own as (
          select a.id, a.name, a.time_zone, a.default_sender_id, a.disabled_at is not null as is_disabled,
            coalesce(a.spend_limit_micro_usd <= coalesce(s.spent_micro_usd, 0), false) as is_spent
          from accounts a left join spend_months s on s.account_id = a.id and s.month = $3 ->> a.time_zone
          where a.parent_id = current_setting('app.account', true)
            and a.id in (select p.sub_account_id from pairs p)
        ), lines as (
          select s.account_id, s.carrier_account_id, s.created_at, s.id, s.registration <> 'pending' as was_approved,
            s.registration = 'approved' and coalesce(s.registration_expires_on >= $2, true) as is_approved,
            s.id is not distinct from o.default_sender_id as is_default
          from senders s join own o on o.id = s.account_id where s.disabled_at is null
        ), sending as (
          select l.account_id, bool_or(l.is_approved) as can_send, bool_or(l.was_approved) as could_send,
            -- What it sends with: its default, or the oldest one.
            (array_agg(l.carrier_account_id order by l.is_default desc, l.created_at, l.id) filter (where l.is_approved))[1] as carrier
          from lines l group by 1
        )
        select p.preset_id, p.sub_account_id, o.name, o.time_zone, p.lists,
          case when o.id is null then '{account_left}' else array_remove(array[
            case when o.is_disabled then 'account_disabled' end,
            case when s.can_send then null when s.could_send then 'registration_lapsed' else 'no_sender' end,
            case when p.lacks_list then 'list_gone' end,
            case when o.is_spent or exists (
              select from alerts t where t.kind = 'carrier_trouble' and t.cause = 'credit' and t.resolved_at is null
                and t.subject_id = s.carrier and t.account_id <> 'operator'
            ) then 'no_credit' end
          ], null) end
        from pairs p left join own o on o.id = p.sub_account_id left join sending s on s.account_id = o.id
      $q$ using wanted, today, months;
    end $fn$;

    -- The lists that a preset of the caller's has of these accounts; the name is null when the list is gone, or the
    -- account is not his own any more.
    create function preset_lists(wanted text, sub_accounts text[])
    returns table (sub_account_id text, list_id text, name text)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select q.sub_account_id, q.list_id, l.name
      from presets p join preset_pairs q on q.preset_id = p.id
        left join accounts a on a.id = q.sub_account_id and a.parent_id = p.account_id
        left join lists l on l.id = q.list_id and l.account_id = a.id
      where p.id = wanted and p.account_id = current_setting('app.account', true)
        and q.sub_account_id = any(sub_accounts)
      order by lower(l.name), q.list_id
    $fn$;`.execute(db);

  for (const signature of FUNCTIONS) {
    await sql`alter function ${sql.raw(signature)} owner to carillon_system`.execute(db);
    await sql`revoke all on function ${sql.raw(signature)} from public`.execute(db);
    await sql`grant execute on function ${sql.raw(signature)} to carillon_app`.execute(db);
  }
}

import { type Kysely, sql } from 'kysely';

const FUNCTIONS = ['preset_accounts(text[], date, jsonb)', 'preset_zones(text[])'];

/**
 * Pairs of presets of the caller's, or those of launched campaigns of his that a restart concerns: of parts that are not
 * over, and of those that ended since their account cannot be sent for, as long as that is so.
 */
const PAIRS = `
          select q.preset_id as wanted_id, q.sub_account_id, q.list_id
          from presets p join preset_pairs q on q.preset_id = p.id
          where p.id = any($1) and p.account_id = current_setting('app.account', true) and p.deleted_at is null
          union all
          select p.central_id, p.sub_account_id, q.list_id
          from central_parts p join central_part_lists q on q.central_id = p.central_id and q.number = p.number
          where p.central_id = any($1) and p.account_id = current_setting('app.account', true)
            and (p.state not in ('done', 'aborted', 'rejected')
              or (p.state = 'aborted' and p.reason in ('account_left', 'account_disabled') and not exists (
                select from accounts a
                where a.id = p.sub_account_id and a.parent_id = p.account_id and a.disabled_at is null)))`;

/** A review of a restart tells what is wrong with each account, as that of a launch does. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    -- The time zones of these accounts, so that the caller can say which month it is there.
    create or replace function preset_zones(wanted text[]) returns table (zone text)
    language plpgsql stable security definer set search_path = public, pg_temp as $fn$
    begin
      return query execute $q$
        select distinct a.time_zone from (${sql.raw(PAIRS)}) q
        join accounts a on a.id = q.sub_account_id and a.parent_id = current_setting('app.account', true)
      $q$ using wanted;
    end $fn$;

    -- These accounts, with what is wrong with each: today is the day in UTC, months says by time zone which month it is.
    -- Of one that is not the caller's own any more nothing is told but that.
    create or replace function preset_accounts(wanted text[], today date, months jsonb)
    returns table (preset_id text, sub_account_id text, name text, time_zone text, lists integer, faults text[])
    language plpgsql stable security definer set search_path = public, pg_temp as $fn$
    begin
      return query execute $q$
        with pairs as (
          select q.wanted_id, q.sub_account_id, count(*)::integer as lists, bool_or(l.id is null) as lacks_list
          from (${sql.raw(PAIRS)}) q
            left join lists l on l.id = q.list_id and l.account_id = q.sub_account_id
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
            (array_agg(l.carrier_account_id order by l.is_default desc, l.created_at, l.id)
              filter (where l.is_approved))[1] as carrier
          from lines l group by 1
        )
        select p.wanted_id, p.sub_account_id, o.name, o.time_zone, p.lists,
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
    end $fn$;`.execute(db);

  for (const signature of FUNCTIONS) {
    await sql`alter function ${sql.raw(signature)} owner to carillon_system`.execute(db);
    await sql`revoke all on function ${sql.raw(signature)} from public`.execute(db);
    await sql`grant execute on function ${sql.raw(signature)} to carillon_app`.execute(db);
  }
}

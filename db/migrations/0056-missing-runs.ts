import { type Kysely, sql } from 'kysely';

const FUNCTIONS = ['campaigns_to_run(text, integer)', 'slices_to_look(integer)', 'note_missing_runs(text[])'];

/**
 * Parts whose run is missing. While their central campaign lives they are started by their slice alone, so that whoever
 * looks finds one tree of runs; repair only notes which ones.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    -- Nobody has ever written it.
    alter table central_parts drop column handed_at;

    drop function campaigns_to_run(text, integer);
    create function campaigns_to_run(after_id text, how_many integer)
    returns table (id text, account_id text, has_waiting_action boolean, starts_by_slice boolean)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select x.id, x.account_id, bool_or(x.waits),
        -- A part that is over may have rounds of its own account, which concern its slice no more.
        exists (
          select from central_parts p join campaigns w on w.id = p.central_id
          where p.campaign_id = x.id and p.state not in ('done', 'aborted', 'rejected', 'stopped')
            and w.deleted_at is null
            and w.status in ('processing', 'ready', 'scheduled', 'started', 'sending', 'paused', 'suspended'))
      from (
        (select c.id, c.account_id, false as waits from campaigns c
         where c.id > after_id and not (c.kind = 'central' and c.central_id is null)
           and c.status in ('processing', 'ready', 'scheduled', 'started', 'sending', 'paused', 'suspended')
         order by c.id limit how_many)
        union all
        (select c.id, c.account_id, true from campaigns c
         where c.id > after_id and not (c.kind = 'central' and c.central_id is null)
           and c.id in (select a.campaign_id from actions a where a.state = 'requested')
         order by c.id limit how_many)
      ) x group by 1, 2 order by 1 limit how_many
    $fn$;

    -- A missing run is worth a look only while it would be started: not of a part that is over, nor before the central
    -- campaign is prepared. Otherwise its run would be woken for nothing every few seconds.
    create or replace function slices_to_look(how_many integer)
    returns table (account_id text, central_id text, slice integer)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select p.account_id, p.central_id, p.slice
      from (select distinct n.central_id, n.slice from central_parts n where n.is_news or n.needs_run) x
      join central_parts p on p.central_id = x.central_id and p.slice = x.slice
      join campaigns w on w.id = p.central_id
      group by 1, 2, 3
      having bool_or(p.is_news) and (
          bool_and(p.state in ('done', 'aborted', 'rejected', 'stopped'))
          or count(*) filter (where p.is_news) * 10 >= count(*)
          or min(p.news_at) filter (where p.is_news) < clock_timestamp() - interval '1 hour')
        or bool_or(p.needs_run and p.campaign_id is not null
          and p.state not in ('done', 'aborted', 'rejected', 'stopped')
          and w.deleted_at is null and w.prepared_at is not null
          and w.status in ('processing', 'ready', 'scheduled', 'started', 'sending', 'paused', 'suspended'))
      order by 2, 3 limit how_many
    $fn$;

    -- One that somebody is just changing is noted the next time, rather than that anybody waits for him.
    create function note_missing_runs(campaign_ids text[]) returns void
    language sql security definer set search_path = public, pg_temp as $fn$
      update central_parts p set needs_run = true
      from (
        select q.central_id, q.number from central_parts q
        where q.campaign_id = any(campaign_ids) and not q.needs_run
          and q.state not in ('done', 'aborted', 'rejected', 'stopped')
        order by q.central_id, q.number for update skip locked
      ) lacking
      where p.central_id = lacking.central_id and p.number = lacking.number
    $fn$;`.execute(db);

  for (const signature of FUNCTIONS) {
    await sql`alter function ${sql.raw(signature)} owner to carillon_system`.execute(db);
    await sql`revoke all on function ${sql.raw(signature)} from public`.execute(db);
    await sql`grant execute on function ${sql.raw(signature)} to carillon_app`.execute(db);
  }
}

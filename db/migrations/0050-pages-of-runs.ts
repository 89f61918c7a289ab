import { type Kysely, sql } from 'kysely';

/** Campaigns that should have a run, page by page: however many there are, repair comes to each of them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    drop function campaigns_to_run(integer);
    create index campaigns_live on campaigns (id)
      where status in ('processing', 'ready', 'scheduled', 'started', 'sending', 'paused', 'suspended');
    create function campaigns_to_run(after_id text, how_many integer)
    returns table (id text, account_id text, has_waiting_action boolean)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select x.id, x.account_id, bool_or(x.waits) from (
        (select c.id, c.account_id, false as waits from campaigns c
         where c.id > after_id
           and c.status in ('processing', 'ready', 'scheduled', 'started', 'sending', 'paused', 'suspended')
         order by c.id limit how_many)
        union all
        (select c.id, c.account_id, true from campaigns c
         where c.id > after_id and c.id in (select a.campaign_id from actions a where a.state = 'requested')
         order by c.id limit how_many)
      ) x group by 1, 2 order by 1 limit how_many
    $fn$;
    alter function campaigns_to_run(text, integer) owner to carillon_system;
    revoke all on function campaigns_to_run(text, integer) from public;
    grant execute on function campaigns_to_run(text, integer) to carillon_app;`.execute(db);
}

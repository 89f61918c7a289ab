import { type Kysely, sql } from 'kysely';

const SIGNATURE = 'events_after(bigint, text[], integer)';

/**
 * Events of the log and of alerts are told with the names of who acted, as the log itself is: read when they are told,
 * so that none is kept with an event.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    drop function events_after(bigint, text[], integer);
    create function events_after(after_position bigint, accounts text[], how_many integer)
    returns table ("position" bigint, account_id text, number bigint, campaign_id text, kind text,
                   at timestamptz, data jsonb, actor_name text, key_name text)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select e.position, e.account_id, e.number, e.campaign_id, e.kind, e.at, e.data,
        coalesce(
          (select p.name from people p where p.id = a.actor and p.account_id = e.account_id),
          (select k.name from api_keys k where k.id = a.actor and k.account_id = e.account_id)),
        (select k.name from api_keys k where k.id = e.data->>'key' and k.account_id = e.account_id)
      from events e
      cross join lateral (select coalesce(e.data->>'by', e.data->>'acknowledgedBy') as actor) a
      where e.position > after_position and e.account_id = any(accounts)
      order by e.position limit how_many
    $fn$;`.execute(db);
  await sql`alter function ${sql.raw(SIGNATURE)} owner to carillon_system`.execute(db);
  await sql`revoke all on function ${sql.raw(SIGNATURE)} from public`.execute(db);
  await sql`grant execute on function ${sql.raw(SIGNATURE)} to carillon_app`.execute(db);
}

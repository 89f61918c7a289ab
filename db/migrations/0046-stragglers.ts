import { type Kysely, sql } from 'kysely';

/**
 * Whoever was leased by a lane that was given up as lost counts as on his way for a while: the lane may live, and a hold
 * has to name everybody who may still be texted.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create index unknowns_lost on unknowns (posted_until) where doubt = 3;

    create function installation_stragglers(lost_within_ms integer) returns integer
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select count(*)::integer from unknowns u
      where u.doubt = 3 and u.state <> 'accepted'
        and u.posted_until > clock_timestamp() - lost_within_ms * interval '1 millisecond'
    $fn$;
    alter function installation_stragglers(integer) owner to carillon_system;
    revoke all on function installation_stragglers(integer) from public;
    grant execute on function installation_stragglers(integer) to carillon_app;`.execute(db);
}

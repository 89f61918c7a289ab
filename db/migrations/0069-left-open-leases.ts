import { type Kysely, sql } from 'kysely';

/**
 * Messages of all accounts with leases that have been open for too long. Those of a campaign that is being sent are planned
 * again, which finds them.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function messages_left_open(open_for_ms integer, how_many integer)
    returns table (account_id text, campaign_id text, message_key bigint)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select distinct l.account_id, c.id, l.message_key
      from leases l join campaigns c on c.key = l.campaign_key
      where l.closed_at is null and c.status not in ('started', 'sending')
        and l.opened_at < clock_timestamp() - open_for_ms * interval '1 millisecond'
      limit how_many
    $fn$;
    alter function messages_left_open(integer, integer) owner to carillon_system;
    revoke all on function messages_left_open(integer, integer) from public;
    grant execute on function messages_left_open(integer, integer) to carillon_app;`.execute(db);
}

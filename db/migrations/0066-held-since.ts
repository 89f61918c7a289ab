import { type Kysely, sql } from 'kysely';

/** Since when a central campaign is held, which tells what has begun in which zone before. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table central_sends add column held_since timestamptz;
    comment on column central_sends.held_since is
      'Since when its gate has been closed without a break, in campaign time; of an open one the last time.';
    update central_sends s
    set held_since = (select min(h.placed_at) from holds h where h.scope_id = s.campaign_id and h.lifted_at is null);`.execute(
    db,
  );
}

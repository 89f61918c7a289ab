import { type Kysely, sql } from 'kysely';

/** What every worker could do and one at a time does, as often as if there were one. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table turns (
      what text primary key,
      next_at timestamptz not null
    );
    comment on table turns is 'Machine time. Whoever is first after it has the turn, and sets the next.';
    grant select, insert, update on turns to carillon_app;`.execute(db);
}

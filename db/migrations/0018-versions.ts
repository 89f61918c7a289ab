import { type Kysely, sql } from 'kysely';

/** A version for what could be changed without one, so that two who edit at once do not overwrite one another. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table carrier_accounts add column version integer not null default 1;
    alter table refused_phrases add column version integer not null default 1;`.execute(db);
}

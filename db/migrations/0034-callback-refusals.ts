import { type Kysely, sql } from 'kysely';

/** How many callbacks of a day had no effect, and why. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table callback_refusals (
      day date not null,
      kind text not null,
      reason text not null,
      count bigint not null,
      last_at timestamptz not null,
      primary key (day, kind, reason)
    );
    comment on table callback_refusals is
      'Days in UTC, machine time. Belongs to the installation: whose a forged callback would be is not known.';
    grant select, insert, update, delete on callback_refusals to carillon_app, carillon_system;`.execute(db);
}

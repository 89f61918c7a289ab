import { type Kysely, sql } from 'kysely';

/**
 * In which order a message's plans and lanes were ordered: a worker that stood still carries an order out that is long
 * overtaken, and would take whom the lanes of the later one hold for lost.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table messages add column planned_at timestamptz;
    comment on column messages.planned_at is 'Campaign time of the newest order to plan it that was carried out.';
    alter table lanes add column asked_at timestamptz;
    comment on column lanes.asked_at is 'Campaign time at which the run that entered it last was ordered.';`.execute(
    db,
  );
}

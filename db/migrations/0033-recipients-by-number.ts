import { type Kysely, sql } from 'kysely';

/**
 * Each number once a campaign, by the number first. Of an audience that was frozen just now the planner has no
 * statistics and takes it for a row; an index that begins with month and campaign looked as good to it as the key, and
 * a lease that wanted a range read the whole audience.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table recipients
      drop constraint recipients_month_campaign_key_number_hash_key,
      add constraint recipients_number unique (number_hash, campaign_key, month)`.execute(db);
}

import { type Kysely, sql } from 'kysely';

/** What the text costs for want of whose money a campaign was suspended, so that it is resumed once it can be paid. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table holds add column text_micro_usd bigint;
    comment on column holds.text_micro_usd is
      'The cost of the text that was refused for want of money; null where money is not the cause, or it is not known.';
  `.execute(db);
}

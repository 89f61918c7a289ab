import { type Kysely, sql } from 'kysely';

/** Accounts that let texts be sent again by themselves which the carrier's list does not have. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table accounts add column resend_absent_since timestamptz;
    comment on column accounts.resend_absent_since is
      'Machine time. Null: nobody is sent again. It holds for what was posted since it was chosen.';`.execute(
    db,
  );
}

import { type Kysely, sql } from 'kysely';

/** How many sub-accounts the account of the transaction has, disabled ones too. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function count_sub_accounts() returns bigint
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select count(*) from accounts a where a.parent_id = current_setting('app.account', true)
    $fn$;
    alter function count_sub_accounts() owner to carillon_system;
    revoke all on function count_sub_accounts() from public;
    grant execute on function count_sub_accounts() to carillon_app;`.execute(db);
}

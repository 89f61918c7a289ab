import { type Kysely, sql } from 'kysely';

/** Of these accounts, those that are enabled sub-accounts of the account of the transaction. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function enabled_sub_accounts(named text[]) returns table (id text)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select a.id from accounts a
      where a.id = any(named) and a.parent_id = current_setting('app.account', true) and a.disabled_at is null
    $fn$;
    alter function enabled_sub_accounts(text[]) owner to carillon_system;
    revoke all on function enabled_sub_accounts(text[]) from public;
    grant execute on function enabled_sub_accounts(text[]) to carillon_app;`.execute(db);
}

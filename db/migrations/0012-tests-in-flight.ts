import { type Kysely, sql } from 'kysely';

/** A hold on the installation names the tests that are being posted too. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // Its body is looked at when it is first called, since the table of tests comes with a later migration.
  await sql`
    create function installation_tests_in_flight() returns integer
    language plpgsql stable security definer set search_path = public, pg_temp as $fn$
    begin
      return (select count(*)::integer from test_sends t where t.state = 'posting');
    end $fn$;
    alter function installation_tests_in_flight() owner to carillon_system;
    revoke all on function installation_tests_in_flight() from public;
    grant execute on function installation_tests_in_flight() to carillon_app;`.execute(db);
}

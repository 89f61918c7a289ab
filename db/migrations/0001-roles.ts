import { type Kysely, sql } from 'kysely';

/**
 * Two roles without a login beside the one that migrates: `carillon_app` serves tenants under row-level
 * security, `carillon_system` owns the short list of functions that look across accounts.
 * Roles belong to the whole cluster, so several databases of one cluster share them.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const role of ['carillon_app', 'carillon_system']) {
    await sql`
      do $do$ begin
        perform pg_advisory_xact_lock(hashtext('carillon roles'));
        if not exists (select from pg_roles where rolname = ${sql.lit(role)}) then
          execute 'create role ${sql.raw(role)} nologin';
        end if;
      end $do$`.execute(db);
    await sql`grant ${sql.raw(role)} to current_user`.execute(db);
    await sql`grant usage on schema public to ${sql.raw(role)}`.execute(db);
  }
  await sql`grant create on schema public to carillon_system`.execute(db);

  // `/ready` compares the newest migration with what the code needs.
  await sql`grant select on kysely_migration to carillon_app`.execute(db);

  // Policies compare with this setting inside a sub-select, so that it is read once a query and not once a row.
  await sql`
    create function protect_tenant_table(table_name text, account_column text default 'account_id') returns void
    language plpgsql as $fn$
    begin
      execute format('alter table %I enable row level security', table_name);
      execute format('alter table %I force row level security', table_name);
      execute format(
        'create policy tenant on %I to carillon_app
           using (%I = (select current_setting(''app.account'', true)))
           with check (%I = (select current_setting(''app.account'', true)))',
        table_name, account_column, account_column);
      execute format('create policy system on %I to carillon_system using (true) with check (true)', table_name);
      execute format('grant select, insert, update, delete on %I to carillon_app, carillon_system', table_name);
    end $fn$`.execute(db);
}

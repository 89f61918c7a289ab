import { Client, type Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPool } from '../../db/database.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import { insertOf, MONTH, readTenantTables, type TenantTable } from './tenant-tables.ts';

/** What belongs to the installation: a new table without an account has to be written here on purpose. */
const WITHOUT_ACCOUNT = [
  'callback_refusals',
  'carrier_accounts',
  'carrier_permits',
  'circuits',
  'gates',
  'kysely_migration',
  'kysely_migration_lock',
  'refused_phrases',
  'turns',
];
/** Everything that runs with the rights of another role; the application may call these and no others. */
const DEFINER_FUNCTIONS = [
  'add_pairs',
  'apply_plain_reports',
  'apply_status_reports',
  'campaigns_to_run',
  'campaigns_waiting_on',
  'carrier_accounts_of_posts',
  'carrier_troubles',
  'carriers_to_ask',
  'central_audience',
  'central_holds',
  'central_settings',
  'centrals_to_run',
  'centrals_to_tell',
  'close_unknown_tests',
  'close_unknowns',
  'count_sender_reports',
  'count_sub_accounts',
  'enabled_sub_accounts',
  'end_waiting_parts',
  'ensure_month',
  'event_of_alert',
  'event_of_log',
  'event_of_status',
  'events_after',
  'find_acting',
  'find_api_key',
  'find_campaigns_by_name',
  'find_media',
  'find_sender',
  'fix_parts',
  'fold_rollups',
  'forget_events',
  'forget_idempotency_keys',
  'give_back_spend',
  'has_sub_accounts',
  'holds_to_wake',
  'imports_to_run',
  'installation_holds',
  'installation_in_flight',
  'installation_stragglers',
  'installation_tests_in_flight',
  'known_texts',
  'list_accounts',
  'list_sub_accounts',
  'live_progress',
  'make_parts',
  'messages_left_open',
  'next_ask_at',
  'next_unknown',
  'next_unknown_test',
  'note_central_news',
  'note_centrals_told',
  'note_missing_runs',
  'note_part',
  'note_zone',
  'number_events',
  'preset_accounts',
  'preset_lists',
  'preset_zones',
  'readers_in_force',
  'resolve_carrier_alerts',
  'senders_to_warn',
  'slices_to_look',
  'sweep_media',
  'test_sends_to_run',
  'touch_api_key',
];
const MINE = 'acc_mine';
const THEIRS = 'acc_theirs';

let database: TestDatabase;
let owner: Client;
let pool: Pool;
let tables: TenantTable[];

beforeAll(async () => {
  database = await createTestDatabase();
  owner = new Client({ connectionString: database.url });
  await owner.connect();
  pool = openPool({ connectionString: database.url, connectionsMax: 2, role: 'carillon_app' });
  tables = await readTenantTables(owner);
  await owner.query(`select ensure_month('${MONTH}')`);
  // Without foreign keys' triggers a row of each table can be made from nothing but its columns' types.
  await owner.query('set session_replication_role = replica');
  for (const table of tables) {
    for (const account of [MINE, THEIRS]) await owner.query(insertOf(table, account));
  }
});
afterAll(async () => {
  await pool.end();
  await owner.end();
  await database.drop();
});

/** Runs a statement as the application, for an account or for none, and takes it back. */
async function asApplication(account: string | null, statement: string): Promise<string> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    if (account !== null) await client.query(`select set_config('app.account', $1, true)`, [account]);
    const { rows, rowCount } = await client.query<Record<string, string | number>>(statement);
    const [value] = Object.values(rows[0] ?? {});
    return value === undefined ? `${rowCount ?? 0} rows` : String(value);
  } catch (error) {
    return error instanceof Error && 'code' in error ? `error ${String(error.code)}` : 'error';
  } finally {
    await client.query('rollback');
    client.release();
  }
}

/** What the same statement gives on each tenant's table, but only where it is not what it should be. */
async function exceptions(
  account: string | null,
  wanted: string,
  statement: (table: TenantTable) => string,
): Promise<string[]> {
  const found: string[] = [];
  for (const table of tables) {
    const got = await asApplication(account, statement(table));
    if (got !== wanted) found.push(`${table.name}: ${got}`);
  }
  return found;
}

const REFUSED = 'error 42501';
/** Nobody changes or removes a row of these, not even his own. */
const APPEND_ONLY = ['log'];
const count = (table: TenantTable) => `select count(*)::int from "${table.name}"`;

test('a table without an account is one that the installation owns', async () => {
  const { rows } = await owner.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace
       and relkind in ('r', 'p') and not relispartition order by 1`,
  );
  const others = rows.map((row) => row.name).filter((name) => !tables.some((table) => table.name === name));
  expect(others).toEqual(WITHOUT_ACCOUNT);
  expect(tables.length).toBeGreaterThan(25);
});

test("row-level security is enabled, forced and ruled on every tenant's table and on every partition", async () => {
  const { rows } = await owner.query<{ name: string; fault: string }>(
    `select c.relname as name, concat_ws(' ',
         case when not c.relrowsecurity then 'not enabled' end,
         case when not c.relforcerowsecurity then 'not forced' end,
         case when p.rules is null then 'no policy' end,
         case when not p.are_tenants then 'a policy that lets all pass' end) as fault
     from pg_class c left join (
       select tablename, count(*) as rules, bool_and(coalesce(qual like '%app.account%', false)) as are_tenants
       from pg_policies where roles && '{public, carillon_app}' group by 1
     ) p on p.tablename = c.relname
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
       and c.relname <> all ($1)`,
    [WITHOUT_ACCOUNT],
  );
  expect(rows.length).toBeGreaterThan(tables.length);
  expect(rows.filter((row) => row.fault !== '')).toEqual([]);
});

test('a query without an account sees no row of any of them, although there are rows', async () => {
  for (const table of tables) {
    const { rows } = await owner.query<{ count: number }>(count(table));
    expect([table.name, rows[0]?.count]).toEqual([table.name, 2]);
  }
  expect(await exceptions(null, '0', count)).toEqual([]);
  expect(await exceptions('', '0', count)).toEqual([]);
});

test('an account sees its own rows and no others', async () => {
  expect(
    await exceptions(
      MINE,
      MINE,
      ({ name, owner: column }) => `select string_agg("${column}", ' ') from "${name}"`,
    ),
  ).toEqual([]);
});

test('a row cannot be written for another account, nor handed over to it', async () => {
  expect(await exceptions(MINE, REFUSED, (table) => insertOf(table, THEIRS))).toEqual([]);
  expect(await exceptions(null, REFUSED, (table) => insertOf(table, THEIRS))).toEqual([]);
  expect(
    await exceptions(
      MINE,
      REFUSED,
      ({ name, owner: column }) => `update "${name}" set "${column}" = '${THEIRS}'`,
    ),
  ).toEqual([]);
});

test("another account's row can be neither changed, locked nor deleted", async () => {
  const where = (column: string) => `where "${column}" = '${THEIRS}'`;
  const none = '0 rows';
  const refused = APPEND_ONLY.map((name) => `${name}: ${REFUSED}`);
  expect(
    await exceptions(
      MINE,
      none,
      ({ name, owner: column }) => `update "${name}" set "${column}" = "${column}" ${where(column)}`,
    ),
  ).toEqual(refused);
  expect(
    await exceptions(
      MINE,
      none,
      ({ name, owner: column }) => `select 1 from "${name}" ${where(column)} for update`,
    ),
  ).toEqual(refused);
  expect(
    await exceptions(MINE, none, ({ name, owner: column }) => `delete from "${name}" ${where(column)}`),
  ).toEqual(refused);
});

test('a line of the log is neither changed nor removed, by whomever', async () => {
  for (const statement of [`update log set what = 'other'`, 'delete from log', 'truncate log']) {
    expect([statement, await asApplication(MINE, statement)]).toEqual([statement, REFUSED]);
    await owner.query('set session_replication_role = origin');
    await expect(owner.query(statement)).rejects.toMatchObject({ code: '42501' });
    await owner.query('set session_replication_role = replica');
  }
  const { rows } = await owner.query<{ role: string }>(
    `select distinct grantee as role from information_schema.table_privileges
     where table_name = 'log' and privilege_type in ('UPDATE', 'DELETE', 'TRUNCATE')`,
  );
  expect(rows.map(({ role }) => role).filter((role) => role.startsWith('carillon_'))).toEqual([]);
});

test('a partition cannot be reached past its table', async () => {
  const { rows } = await owner.query<{ name: string }>(
    `select relname as name from pg_class where relispartition and relkind = 'r'
       and relnamespace = 'public'::regnamespace`,
  );
  expect(rows.length).toBeGreaterThan(0);
  for (const { name } of rows)
    expect(await asApplication(MINE, `select count(*) from "${name}"`)).toBe(REFUSED);
});

test("the application's role has no right beyond its rows", async () => {
  const { rows } = await owner.query<Record<string, boolean>>(
    `select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb,
       pg_has_role('carillon_app', 'carillon_system', 'member') as system,
       exists (select from pg_class where relowner = r.oid) as owns
     from pg_roles r where rolname = 'carillon_app'`,
  );
  expect(new Set(Object.values(rows[0] ?? {}))).toEqual(new Set([false]));
  const statements = [
    ...tables.map(({ name }) => `truncate "${name}"`),
    ...tables.map(({ name }) => `alter table "${name}" disable row level security`),
    'drop policy tenant on campaigns',
    'create policy open on campaigns using (true)',
    'create table mine_only (id text)',
    'create or replace function find_media(text) returns table (content_type text, content bytea) language sql as $$ select $1, null::bytea $$',
    `select protect_tenant_table('gates')`,
    `delete from carrier_accounts`,
    `delete from kysely_migration`,
  ];
  for (const statement of statements) {
    expect([statement, await asApplication(MINE, statement)]).toEqual([statement, REFUSED]);
  }
});

test("what runs with another role's rights is a known list, pinned to its schema and closed to the public", async () => {
  const { rows } = await owner.query<{ name: string; isPinned: boolean; isOpen: boolean }>(
    `select proname as name, coalesce(array_to_string(proconfig, ','), '') = 'search_path=public, pg_temp' as "isPinned",
       has_function_privilege('public', oid, 'execute') as "isOpen"
     from pg_proc where pronamespace = 'public'::regnamespace and prosecdef order by 1`,
  );
  expect(rows).toEqual(DEFINER_FUNCTIONS.map((name) => ({ name, isPinned: true, isOpen: false })));
});

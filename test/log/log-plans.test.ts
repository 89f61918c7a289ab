import { Kysely, PostgresDialect } from 'kysely';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { latestAlerts, listAlerts } from '../../db/alert-rows.ts';
import { openPool, type Trx, withAccount } from '../../db/database.ts';
import { type LogFilter, type LogPage, readLog } from '../../db/log-lines.ts';
import type { Database } from '../../db/schema.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const MINE = 'acc_mine';
const LINES = 100_000;
const PAGE = 50;
/** What a page may read: itself, with the lines of other campaigns or of the same instant beside it. */
const ROWS_MAX = 500;

let database: TestDatabase;
let owner: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  owner = new Client({ connectionString: database.url });
  await owner.connect();
  for (const account of [MINE, 'acc_theirs']) {
    await owner.query(
      `insert into log (account_id, campaign_id, subject_kind, subject_id, at, what, who, via)
       select $1, case when i % 2 = 0 then 'cmp_' || $1 || i % 1000 end, 'sender', 'snd_' || $1 || i % 1000,
         timestamptz '2026-01-01' + i * interval '1 minute', 'update', 'per_a', 'api'
       from generate_series(1, $2::int) i`,
      [account, LINES],
    );
    await owner.query(
      `insert into alerts (id, account_id, kind, severity, subject_kind, subject_id, campaign_id, cause, reason,
                           remedy, last_seen_at, resolved_at)
       select 'alt_' || $1 || i, $1, 'suspension', 'critical', 'campaign', 'cmp_' || i, 'cmp_' || i, 'credit', 'r', 'm',
         timestamptz '2026-01-01' + i * interval '1 minute', case when i % 1000 > 0 then now() end
       from generate_series(1, $2::int) i`,
      [account, LINES],
    );
  }
  await owner.query('vacuum analyze');
});
afterAll(async () => {
  await owner.end();
  await database.drop();
});

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
}

function scansOf(plan: Plan): Plan[] {
  const own = ['log', 'alerts'].includes(plan['Relation Name'] ?? '') ? [plan] : [];
  return [...own, ...(plan.Plans ?? []).flatMap(scansOf)];
}

/** How many rows of the table the application's role reads for this, and whether it reads it without an index. */
async function readBy(work: (trx: Trx) => Promise<unknown>): Promise<{ rows: number; whole: boolean }> {
  const queries: { readonly sql: string; readonly parameters: readonly unknown[] }[] = [];
  const db = new Kysely<Database>({
    dialect: new PostgresDialect({
      pool: openPool({ connectionString: database.url, connectionsMax: 1, role: 'carillon_app' }),
    }),
    log: ({ query }) => {
      if (query.sql.startsWith('select "')) queries.push(query);
    },
  });
  await withAccount(db, MINE, work);
  await db.destroy();
  const tenant = new Client({ connectionString: database.url, options: '-c role=carillon_app' });
  await tenant.connect();
  await tenant.query(`select set_config('app.account', $1, false)`, [MINE]);
  const scans: Plan[] = [];
  for (const { sql, parameters } of queries) {
    const { rows } = await tenant.query<{ 'QUERY PLAN': readonly [{ readonly Plan: Plan }] }>(
      `explain (analyze, format json) ${sql}`,
      [...parameters],
    );
    scans.push(...rows.flatMap((row) => scansOf(row['QUERY PLAN'][0].Plan)));
  }
  await tenant.end();
  expect(scans.length).toBeGreaterThan(0);
  const read = scans.map(
    (scan) => (scan['Actual Rows'] + (scan['Rows Removed by Filter'] ?? 0)) * scan['Actual Loops'],
  );
  return { rows: Math.max(...read), whole: scans.some((scan) => scan['Node Type'] === 'Seq Scan') };
}

test.each<[string, LogFilter, Partial<LogPage>]>([
  ['the newest lines', {}, {}],
  ['the oldest', {}, { order: 'asc' }],
  ['a campaign’s', { campaignId: [`cmp_${MINE}500`] }, {}],
  ['those about one thing', { subjectId: [`snd_${MINE}501`] }, {}],
  ['a month of long ago', { atFrom: new Date('2026-01-05'), atTo: new Date('2026-01-06') }, {}],
  ['what is far behind a cursor', {}, { after: LINES / 2 }],
  ['several verbs', { what: ['create', 'update'] }, {}],
])('a page of the log with %s reads little more than it shows', async (_what, filter, page) => {
  const read = await readBy(async (trx) => {
    const lines = await readLog(trx, filter, { after: null, order: 'desc', limit: PAGE, ...page });
    expect(lines).toHaveLength(PAGE);
  });
  expect(read.whole).toBe(false);
  expect(read.rows).toBeLessThan(ROWS_MAX);
});

test('what is open on a campaign is found among many alerts of long ago', async () => {
  const read = await readBy(async (trx) => {
    const found = await latestAlerts(trx, 'cmp_1000');
    expect(found.map(({ id }) => id)).toEqual([`alt_${MINE}1000`]);
  });
  expect(read.whole).toBe(false);
  expect(read.rows).toBeLessThan(ROWS_MAX);
});

test('a page of alerts reads no other account', async () => {
  const read = await readBy((trx) => listAlerts(trx, {}, { offset: 0, limit: PAGE }));
  expect(read.rows).toBeLessThanOrEqual(LINES);
  const open = await readBy(async (trx) => {
    const { total } = await listAlerts(trx, { states: ['open'] }, { offset: 0, limit: PAGE });
    expect(total).toBe(LINES / 1000);
  });
  expect(open.whole).toBe(false);
  expect(open.rows).toBeLessThan(ROWS_MAX);
});

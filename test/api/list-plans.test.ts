import { type CompiledQuery, Kysely, PostgresDialect } from 'kysely';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CAMPAIGN_SORTS, type CampaignQuery, listCampaigns } from '../../db/campaign-list.ts';
import { openDatabase, openPool, withAccount } from '../../db/database.ts';
import type { Database } from '../../db/schema.ts';
import { type SeededAccount, seedAccount } from '../support/seed.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const MINE = 100_000;
const THEIRS = 50_000;

let database: TestDatabase;
let owner: Client;
/** With the role that serves tenants, in a session of the account. */
let tenant: Client;
let mine: SeededAccount;

beforeAll(async () => {
  database = await createTestDatabase();
  owner = new Client({ connectionString: database.url });
  await owner.connect();
  const db = openDatabase(
    openPool({ connectionString: database.url, connectionsMax: 2, role: 'carillon_app' }),
  );
  mine = await seedAccount(db);
  const theirs = await seedAccount(db);
  await db.destroy();
  for (const [account, count, prefix] of [
    [mine, MINE, '1'],
    [theirs, THEIRS, '2'],
  ] as const) {
    await owner.query(
      `insert into campaigns (id, account_id, name, status, sender_id, created_by, created_at, first_due_at)
       select 'cmp_' || $3 || lpad(i::text, 25, '0'), $1, case when i % 1000 = 7 then 'Été ' else 'Sale ' end || i,
         (array['draft', 'finished', 'stopped', 'scheduled'])[1 + i % 4], $4, 'per_a',
         timestamptz '2026-01-01' + i * interval '1 minute', timestamptz '2026-06-01' + i * interval '1 minute'
       from generate_series(1, $2::int) i`,
      [account.accountId, count, prefix, account.senderId],
    );
    await owner.query(
      `insert into messages (id, account_id, campaign_id, position)
       select 'msg_' || substr(id, 5), account_id, id, 1 from campaigns where account_id = $1`,
      [account.accountId],
    );
    await owner.query(
      `insert into campaign_lists (account_id, campaign_id, list_id)
       select account_id, id, $2 from campaigns where account_id = $1`,
      [account.accountId, account.listId],
    );
  }
  await owner.query('vacuum analyze');
  tenant = new Client({ connectionString: database.url, options: '-c role=carillon_app' });
  await tenant.connect();
  await tenant.query(`select set_config('app.account', $1, false)`, [mine.accountId]);
}, 240_000);
afterAll(async () => {
  await tenant.end();
  await owner.end();
  await database.drop();
});

interface Plan {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
}

const GROWING = ['campaigns', 'messages', 'campaign_lists'];

/** Every step of a plan that reads a table which grows. */
function scansOf(plan: Plan): Plan[] {
  const own = GROWING.includes(plan['Relation Name'] ?? '') ? [plan] : [];
  return [...own, ...(plan.Plans ?? []).flatMap(scansOf)];
}

async function explain(client: Client, text: string, values: readonly unknown[]): Promise<Plan> {
  const { rows } = await client.query<{ 'QUERY PLAN': readonly [{ readonly Plan: Plan }] }>(
    `explain (analyze, format json) ${text}`,
    [...values],
  );
  const [answer] = rows;
  if (answer === undefined) throw new Error('There is no plan.');
  return answer['QUERY PLAN'][0].Plan;
}

/** The queries that a list asks the database for. */
async function queriesOf(list: (db: Kysely<Database>) => Promise<unknown>): Promise<CompiledQuery[]> {
  const queries: CompiledQuery[] = [];
  const pool = openPool({
    connectionString: database.url,
    connectionsMax: 1,
    role: 'carillon_app',
  });
  const db = new Kysely<Database>({
    dialect: new PostgresDialect({ pool }),
    log: (event) => {
      if (event.query.sql.startsWith('select')) queries.push(event.query);
    },
  });
  await list(db);
  await db.destroy();
  return queries;
}

const first: CampaignQuery = { archived: false, sort: 'createdAt', descending: true, offset: 0, limit: 20 };
const campaigns = (query: Partial<CampaignQuery>) => (db: Kysely<Database>) =>
  withAccount(db, mine.accountId, (trx) => listCampaigns(trx, mine.accountId, { ...first, ...query }));

/** Reads the plans of a list and returns what reads a table otherwise than by an index of the account or an id. */
async function strays(list: (db: Kysely<Database>) => Promise<unknown>): Promise<string[]> {
  const queries = await queriesOf(list);
  expect(queries.length).toBeGreaterThanOrEqual(2);
  const found: string[] = [];
  for (const query of queries) {
    for (const scan of scansOf(await explain(tenant, query.sql, query.parameters))) {
      const isByIndex = scan['Node Type'].startsWith('Index') || scan['Node Type'] === 'Bitmap Heap Scan';
      const table = scan['Relation Name'] ?? '';
      if (!isByIndex) found.push(`${scan['Node Type']} of ${table}`);
      const read = (scan['Actual Rows'] + (scan['Rows Removed by Filter'] ?? 0)) * scan['Actual Loops'];
      if (read > MINE) found.push(`${read} rows of ${table}`);
    }
  }
  return found;
}

describe('at 100,000 campaigns, beside as many halves of another account', () => {
  test.each(CAMPAIGN_SORTS)('the list sorted by %s reads no other account', async (sort) => {
    expect(await strays(campaigns({ sort }))).toEqual([]);
  });

  test.each<[string, () => Partial<CampaignQuery>]>([
    ['a rare name', () => ({ q: 'ete' })],
    ['a common name', () => ({ q: 'sale' })],
    ['no such name', () => ({ q: 'nobody has this' })],
    ['statuses', () => ({ statuses: ['draft', 'stopped'] })],
    ['senders', () => ({ senderIds: [mine.senderId] })],
    ['lists', () => ({ listIds: [mine.listId] })],
    ['starts', () => ({ startFrom: new Date('2026-08-01'), startTo: new Date('2026-08-02') })],
    ['the archive', () => ({ archived: true })],
  ])('the list filtered by %s reads no other account', async (_what, query) => {
    expect(await strays(campaigns(query()))).toEqual([]);
  });

  test('the first page reads as many campaigns as it shows, in the order of an index', async () => {
    const [page] = (await queriesOf(campaigns({}))).filter((query) => query.sql.includes('limit'));
    const plan = await explain(tenant, page?.sql ?? '', page?.parameters ?? []);
    const [scan] = scansOf(plan).filter((one) => one['Relation Name'] === 'campaigns');
    expect(scan).toMatchObject({ 'Index Name': 'campaigns_shown', 'Actual Rows': 20 });
    expect(scan?.['Index Cond']).toContain('account_id');
  });

  test('the total walks an index of the account alone', async () => {
    const [count] = (await queriesOf(campaigns({}))).filter((query) => query.sql.includes('count(*) as'));
    const plan = await explain(tenant, count?.sql ?? '', count?.parameters ?? []);
    const [scan] = scansOf(plan);
    expect(scan).toMatchObject({ 'Node Type': 'Index Only Scan', 'Actual Rows': MINE });
    expect(scan?.['Index Cond']).toContain('account_id');
  });

  test('a rare name is found through the index of names, in the account alone', async () => {
    await owner.query('set role carillon_system');
    const plan = await explain(
      owner,
      `select c.id from campaigns c
       where c.account_id = $1 and c.deleted_at is null and c.name_search like $2 limit $3`,
      [mine.accountId, '%ete%', 1_001],
    );
    await owner.query('reset role');
    const text = JSON.stringify(plan);
    expect(text).toContain('campaigns_name_search');
    expect(scansOf(plan).filter((scan) => scan['Node Type'] === 'Seq Scan')).toEqual([]);
    const ids = await tenant.query<{ id: string }>('select id from find_campaigns_by_name($1, $2, $3)', [
      mine.accountId,
      'ÉTÉ',
      1_001,
    ]);
    expect(ids.rows).toHaveLength(MINE / 1_000);
    expect(ids.rows.every(({ id }) => id.startsWith('cmp_1'))).toBe(true);
  });
});

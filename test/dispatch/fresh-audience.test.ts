import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Db, openDatabase, openPipelinedDatabase, openPool } from '../../db/database.ts';
import { createPostgresDispatchStore } from '../../db/dispatch/postgres-store.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import type { DispatchStore } from '../../domain/dispatch/dispatch-store.ts';
import { applyStatusReports } from '../../db/status-reports.ts';
import { type LedgerWorld, NOON, openLedgerWorld, resultsOf, statusReportOf } from './ledger-world.ts';
import { onlyLease } from './only-lease.ts';

const RECIPIENTS = 3_000;
const WIDTH = 20;
/** What dealing with so many may read of the tables that grow with an audience; all of it would be thousands. */
const ROWS_READ_MAX = 15 * WIDTH;

let world: LedgerWorld;
let db: Db;
let owner: Db;
let store: DispatchStore;

beforeAll(async () => {
  world = await openLedgerWorld();
  const options = { connectionString: world.databaseUrl, connectionsMax: 1 } as const;
  owner = openDatabase(openPool({ ...options, role: 'owner' }));
  // Another campaign is known to the planner, so that it thinks that a new one has no rows.
  await world.freeze(RECIPIENTS);
  await sql`analyze`.execute(owner);
  // One connection, since each tells of its reads by itself.
  db = openPipelinedDatabase({ ...options, role: 'carillon_app' });
  store = createPostgresDispatchStore({ db, crash: noCrash, mediaUrl: (token) => token });
});
afterAll(async () => {
  await Promise.all([db.destroy(), owner.destroy()]);
  await world.close();
});

/** How many rows some work reads of the tables that grow with an audience. */
async function rowsReadBy<Result>(
  work: () => Promise<Result>,
): Promise<{ readonly rows: number; readonly result: Result }> {
  const before = await rowsRead();
  const result = await work();
  return { rows: (await rowsRead()) - before, result };
}

async function rowsRead(): Promise<number> {
  await sql`select pg_stat_force_next_flush()`.execute(db);
  const { rows } = await sql<{ read: number }>`
    select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint as read from pg_stat_all_tables
    where relname ~ '^(recipients|attempts|outcomes|wave_members|leases)_[0-9]+$'`.execute(db);
  return rows[0]?.read ?? 0;
}

test('a lease, its record and the fence read no more than its range of an audience that was frozen just now', async () => {
  const { account, campaignId, messageId } = await world.freeze(RECIPIENTS);
  const lane = { accountId: account.accountId, campaignId, messageId, lane: 1 };
  const { fence } = await store.enterLane(lane, NOON);
  const ask = () => store.openLeases(lane, fence, NOON, WIDTH);
  // Leases of others are many, too, and nothing is known of them either.
  await sql`
    insert into leases (month, account_id, campaign_key, message_key, wave_id, ordinal_first, ordinal_last, lane, fence,
                        sender_id, width, segments, cost_micro_usd, spend_month, closed_at)
    select audience_month, account_id, key, 0, 0, 1, 1, 0, 0, '', 1, 1, 1, '', clock_timestamp()
    from campaigns, generate_series(1, ${RECIPIENTS}::int) where id = ${campaignId}`.execute(owner);
  for (let number = 0; number < 50; number += 1) {
    const lease = onlyLease(await ask());
    await store.record(lease, resultsOf(lease, number < 25 ? 'accepted' : 'not_accepted'), NOON);
  }

  const opened = await rowsReadBy(ask);
  // Reads that are not counted would be few, too.
  expect(opened.rows).toBeGreaterThanOrEqual(WIDTH);
  expect(opened.rows).toBeLessThan(ROWS_READ_MAX);
  const lease = onlyLease(opened.result);
  const recorded = await rowsReadBy(() => store.record(lease, resultsOf(lease, 'accepted'), NOON));
  expect(recorded.rows).toBeLessThan(ROWS_READ_MAX);
  // What a worker that died leaves open.
  await ask();
  const fenced = await rowsReadBy(() => store.enterLane(lane, NOON));
  expect(fenced.result.unknown).toBe(WIDTH);
  expect(fenced.rows).toBeLessThan(ROWS_READ_MAX);
  const again = await rowsReadBy(() => store.record(lease, resultsOf(lease, 'accepted'), NOON));
  expect(again.rows).toBeLessThan(ROWS_READ_MAX);
});

test('a lease of a later wave reads no more than its own members', async () => {
  const { account, campaignId, messageId } = await world.freeze(RECIPIENTS);
  const lane = { accountId: account.accountId, campaignId, messageId, lane: 1 };
  const { fence } = await store.enterLane(lane, NOON);
  for (;;) {
    const answer = await store.openLeases(lane, fence, NOON, 128);
    if (answer.kind !== 'leased') break;
    for (const lease of answer.leases) await store.record(lease, resultsOf(lease, 'not_accepted'), NOON + 1);
  }
  const opened = await rowsReadBy(() => store.openLeases(lane, fence, NOON + 2, WIDTH));
  const lease = onlyLease(opened.result);
  expect(lease.recipients.map((person) => person.attempt)).toEqual(Array.from({ length: WIDTH }, () => 2));
  expect(opened.rows).toBeLessThan(ROWS_READ_MAX);
});

test('a batch of reports reads no more than the people it is about of an audience that was frozen just now', async () => {
  const campaign = await world.freeze(RECIPIENTS);
  const lane = { accountId: campaign.account.accountId, ...campaign, lane: 1 };
  const { fence } = await store.enterLane(lane, NOON);
  for (let number = 0; number < 10; number += 1) {
    const lease = onlyLease(await store.openLeases(lane, fence, NOON, WIDTH));
    await store.record(lease, resultsOf(lease, 'accepted'), NOON);
    const reports = lease.recipients.map((person) =>
      statusReportOf(campaign, lease, { status: 'delivered' }, person),
    );
    const applied = await rowsReadBy(() => applyStatusReports({ db, crash: noCrash }, reports));
    expect(applied.result).toEqual(reports.map(() => 'applied'));
    expect(applied.rows).toBeGreaterThanOrEqual(WIDTH);
    expect(applied.rows).toBeLessThan(ROWS_READ_MAX);
  }
});

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { watchCarriers } from '../../activities/carrier-watch.ts';
import { watchCarrierTroubles } from '../../db/carrier-alerts.ts';
import { type Db, openDatabase, openPool, withAccount } from '../../db/database.ts';
import { suspendCampaign } from '../../db/suspend-campaign.ts';
import type { AttemptResult, DispatchStore, Lease } from '../../domain/dispatch/dispatch-store.ts';
import { type SeededAccount, seedAccount, seedCampaign } from '../support/seed.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
let db: Db;
let account: SeededAccount;
let clock: number;
let bare: DispatchStore;
let watched: DispatchStore;
let recorded: number;

beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase(openPool({ connectionString: database.url, connectionsMax: 4, role: 'carillon_app' }));
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});
beforeEach(async () => {
  account = await seedAccount(db);
  clock = 0;
  recorded = 0;
  const never = (): never => {
    throw new Error('Only results are recorded here.');
  };
  bare = {
    enterLane: never,
    openLeases: never,
    grantAgain: never,
    slowDown: never,
    record: (_lease, results) => {
      recorded += results.length;
      return Promise.resolve();
    },
  };
  watched = watchCarriers(bare, { db, now: () => clock });
});

const result = (
  request: number,
  kind: AttemptResult['result'],
  cause: string | null = null,
): AttemptResult => ({
  recipient: request + 1,
  attempt: 1,
  request,
  result: kind,
  cause,
  carrierUuid: null,
  segments: 1,
  costMicroUsd: 1,
});
const failures = (count: number, cause = 'server_error'): AttemptResult[] =>
  Array.from({ length: count }, (_, request) => result(request, 'unknown', cause));

/** As much of a lease as is looked at. */
function record(results: readonly AttemptResult[]): Promise<void> {
  const { accountId, carrierAccountId, senderId } = account;
  return watched.record({ accountId, carrierAccountId, senderId } as Lease, results, 0);
}

function alertsOf(accountId: string) {
  return withAccount(db, accountId, (trx) =>
    trx
      .selectFrom('alerts')
      .where('kind', '=', 'carrier_trouble')
      .where('subject_id', '=', account.carrierAccountId)
      .select(['cause', 'count', 'severity', 'resolved_at as resolvedAt'])
      .orderBy('id')
      .execute(),
  );
}
const open = async (accountId: string) =>
  (await alertsOf(accountId)).filter((alert) => alert.resolvedAt === null).map((alert) => alert.cause);

test('requests that fail one after the other raise one alert, which counts on as long as they do', async () => {
  await record(failures(4));
  expect(await alertsOf(account.accountId)).toEqual([]);
  await record(failures(1));
  await record(failures(20));
  expect(await alertsOf(account.accountId)).toMatchObject([
    { cause: 'server_error', count: 1, severity: 'warning', resolvedAt: null },
  ]);
  clock += 10_000;
  await record(failures(1));
  expect(await alertsOf(account.accountId)).toMatchObject([{ count: 2, resolvedAt: null }]);
  expect(recorded).toBe(26);
});

test('a text that is taken in between starts the count anew, and a bulk request counts once', async () => {
  await record(failures(4, 'timeout'));
  await record([result(0, 'accepted')]);
  await record(failures(4, 'timeout'));
  await record(failures(30).map((one) => ({ ...one, request: 0, result: 'rejected', cause: 'http_400' })));
  expect(await alertsOf(account.accountId)).toEqual([]);
  await record(failures(30, 'timeout').map((one) => ({ ...one, request: 0 })));
  expect(await open(account.accountId)).toEqual(['timeout']);
});

test('texts that are taken at the same time are told once, and again where telling them has failed', async () => {
  let told = 0;
  let isBroken = true;
  const counted = db.withPlugin({
    transformQuery: ({ node }) => {
      if (JSON.stringify(node).includes('insert into circuits')) {
        told += 1;
        if (isBroken) throw new Error('It cannot be written now.');
      }
      return node;
    },
    transformResult: ({ result: rows }) => Promise.resolve(rows),
  });
  watched = watchCarriers(bare, { db: counted, now: () => clock });
  await record([result(0, 'accepted')]);
  expect(told).toBe(1);
  isBroken = false;
  await Promise.all(Array.from({ length: 5 }, (_, request) => record([result(request, 'accepted')])));
  expect(told).toBe(2);
  expect(recorded).toBe(6);
  clock += 2_000;
  await record([result(0, 'accepted')]);
  expect(told).toBe(3);
});

test('a number that is no good, or a limit of requests, is no trouble of the carrier', async () => {
  await record(Array.from({ length: 9 }, (_, index) => result(index, 'rejected', 'http_400')));
  await record(Array.from({ length: 9 }, (_, index) => result(index, 'not_accepted', 'rate_limited')));
  await record(Array.from({ length: 9 }, (_, index) => result(index, 'not_accepted', 'window_closed')));
  expect(await alertsOf(account.accountId)).toEqual([]);
});

test('the next text that is taken resolves it', async () => {
  await record(failures(5));
  expect(await open(account.accountId)).toEqual(['server_error']);
  await watchCarrierTroubles(db, 0);
  expect(await open(account.accountId)).toEqual(['server_error']);
  await record([result(0, 'accepted')]);
  await watchCarrierTroubles(db);
  expect(await open(account.accountId)).toEqual(['server_error']);
  await watchCarrierTroubles(db, 0);
  expect(await open(account.accountId)).toEqual([]);
});

test('failures of several workers add up, and a text that one of them sees taken counts for all', async () => {
  const other = watchCarriers(bare, { db, now: () => clock });
  const { accountId, carrierAccountId, senderId } = account;
  const recordElsewhere = (results: readonly AttemptResult[]) =>
    other.record({ accountId, carrierAccountId, senderId } as Lease, results, 0);
  await recordElsewhere(failures(3));
  await recordElsewhere([result(0, 'accepted')]);
  await recordElsewhere(failures(3));
  expect(await open(accountId)).toEqual([]);
  await record(failures(2));
  expect(await open(accountId)).toEqual(['server_error']);
});

test('an alert that cannot be written fails nothing that is recorded', async () => {
  const { accountId, carrierAccountId, senderId } = account;
  const broken = watchCarriers(bare, {
    db: { transaction: () => ({ execute: () => Promise.reject(new Error('down')) }) } as unknown as Db,
    now: () => clock,
  });
  await broken.record({ accountId, carrierAccountId, senderId } as Lease, failures(5), 0);
  expect(recorded).toBe(5);
});

test('what stops a campaign at the carrier is told of the carrier account, to the operator too, until it is over', async () => {
  const { accountId } = account;
  const { campaignId } = await seedCampaign(db, account, {
    at: 0,
    start: 'now',
    messages: [{ text: 'Hello' }],
  });
  await withAccount(db, accountId, (trx) => suspendCampaign(trx, { accountId, campaignId }, 'credit'));
  expect(await open(accountId)).toEqual(['credit']);
  expect(await open('operator')).toEqual([]);
  await watchCarrierTroubles(db);
  await watchCarrierTroubles(db);
  expect(await alertsOf('operator')).toMatchObject([{ cause: 'credit', severity: 'critical', count: 1 }]);
  await record([result(0, 'accepted')]);
  await watchCarrierTroubles(db, 0);
  expect(await open(accountId)).toEqual([]);
  expect(await open('operator')).toEqual([]);
});

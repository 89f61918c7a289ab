import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { askAccount } from '../../activities/ask-account.ts';
import { type Db, openDatabase, openPool } from '../../db/database.ts';
import { grantRequests } from '../../db/dispatch/grants.ts';
import type { CarrierStanding } from '../../domain/carrier-standing.ts';
import { type AtOnce, UNLIMITED } from '../../domain/dispatch/at-once.ts';
import { seedAccount } from '../support/seed.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const WELL: CarrierStanding = { kind: 'told', creditMicroUsd: null, isEnabled: true };
const SILENT: CarrierStanding = { kind: 'silent', retryAfterMs: null };

let database: TestDatabase;
let db: Db;
let carrierAccountId: string;
let slept: number[];
let asked: number;

beforeAll(async () => {
  database = await createTestDatabase();
  // One connection: whoever kept it over the question would keep it from itself.
  db = openDatabase(openPool({ connectionString: database.url, connectionsMax: 1, role: 'carillon_app' }));
});
beforeEach(async () => {
  ({ carrierAccountId } = await seedAccount(db));
  slept = [];
  asked = 0;
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

const ask = (answer: CarrierStanding = WELL, atOnce: AtOnce = UNLIMITED): Promise<CarrierStanding> =>
  askAccount(
    {
      db,
      atOnce,
      machine: {
        now: () => performance.now(),
        sleep: (ms) => {
          slept.push(ms);
          return Promise.resolve();
        },
      },
      carriers: {
        account: async () => {
          asked += 1;
          await sql`select 1`.execute(db);
          return answer;
        },
      },
    },
    carrierAccountId,
    new AbortController().signal,
  );
/** So many requests in so many milliseconds, a tenth of which stays free. */
const limit = (requestsMax: number, windowMs: number) =>
  db
    .updateTable('carrier_accounts')
    .set({ requests_max: requestsMax, requests_window_ms: windowMs })
    .where('id', '=', carrierAccountId)
    .execute();

test('a carrier without a limit is asked at once, and nothing of the database is held meanwhile', async () => {
  expect(await ask()).toEqual(WELL);
  expect(slept).toEqual([]);
});

test('a question takes its turn among the requests of the account, and one request of its limit', async () => {
  await limit(10, 60_000);
  await ask();
  expect(slept).toEqual([]);
  await ask();
  const [waited = 0] = slept;
  expect(waited).toBeGreaterThan(1_000);
  expect(waited).toBeLessThan(10_000);
  const next = await db.transaction().execute((trx) => grantRequests(trx, carrierAccountId, 1));
  expect(next.delayMs).toBeGreaterThan(waited);
});

test('a turn that is too far away is silence, and no question', async () => {
  await limit(10, 60_000);
  await db.transaction().execute((trx) => grantRequests(trx, carrierAccountId, 100));
  expect(await ask()).toEqual(SILENT);
  expect(asked).toBe(0);
});

test('no room at the carrier within the time is silence, and no question', async () => {
  const full: AtOnce = { take: () => Promise.resolve(false), giveBack: () => undefined };
  expect(await ask(WELL, full)).toEqual(SILENT);
  expect(asked).toBe(0);
});

test('room that was taken is given back, whatever the answer', async () => {
  let taken = 0;
  const counted: AtOnce = {
    take: () => {
      taken += 1;
      return Promise.resolve(true);
    },
    giveBack: () => {
      taken -= 1;
    },
  };
  await ask(SILENT, counted);
  expect(taken).toBe(0);
  expect(asked).toBe(1);
});

test('a carrier that is asked too often is sent nothing by anybody for as long as it says', async () => {
  await limit(10, 60_000);
  await ask({ kind: 'silent', retryAfterMs: 50_000 });
  const next = await db.transaction().execute((trx) => grantRequests(trx, carrierAccountId, 1));
  expect(next.delayMs).toBeGreaterThan(40_000);
});

import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { randomUUID } from 'node:crypto';
import { machineClock } from '../../activities/machine-clock.ts';
import { createPostgresPermits } from '../../db/carrier-permits.ts';
import { type Db, openDatabase, openPool } from '../../db/database.ts';
import { until } from '../../dev/until.ts';
import { createAtOnce } from '../../domain/dispatch/at-once.ts';
import { seedAccount } from '../support/seed.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const AT_ONCE_MAX = 10;

let database: TestDatabase;
let db: Db;
let carrierAccountId: string;
let clock: number;

beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase(openPool({ connectionString: database.url, connectionsMax: 6, role: 'carillon_app' }));
});
beforeEach(async () => {
  ({ carrierAccountId } = await seedAccount(db));
  clock = 0;
  await setMax(AT_ONCE_MAX);
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

const setMax = (atOnceMax: number) =>
  db
    .updateTable('carrier_accounts')
    .set({ requests_at_once_max: atOnceMax })
    .where('id', '=', carrierAccountId)
    .execute();
const claim = (id: string, inUse = 0, wanted = 50) =>
  createPostgresPermits(db, id).claim(carrierAccountId, { wanted, inUse, ttlMs: 30_000 });
const worker = (wanted: number) =>
  createAtOnce({
    permits: createPostgresPermits(db, randomUUID()),
    machine: { ...machineClock, now: () => clock },
    wanted,
    onError: (error) => {
      throw error;
    },
  });

test('workers share what the carrier takes at once, and never have more between them', async () => {
  expect(await claim('a')).toBe(10);
  // The first has not come down yet.
  expect(await claim('b')).toBe(0);
  expect(await claim('a', 8)).toBe(8);
  expect(await claim('b')).toBe(2);
  expect(await claim('a', 3)).toBe(5);
  expect(await claim('b')).toBe(5);
  expect(await claim('c')).toBe(0);
  const together = await Promise.all(['a', 'b', 'c', 'a', 'b', 'c'].map((id) => claim(id)));
  expect(together.length).toBe(6);
  const { rows } = await sql<{ sum: number }>`
    select sum(permits)::int as sum from carrier_permits where carrier_account_id = ${carrierAccountId}`.execute(
    db,
  );
  expect(rows[0]?.sum).toBeLessThanOrEqual(AT_ONCE_MAX);
});

test('what a killed worker had under way stays taken until it is over', async () => {
  await claim('killed', 0, 7);
  expect(await claim('heir')).toBe(3);
  await sql`update carrier_permits set expires_at = clock_timestamp() where worker_id = 'killed'`.execute(db);
  expect(await claim('heir')).toBe(10);
});

test('a carrier without a limit is not kept within one', async () => {
  await setMax(0);
  expect(await claim('a')).toBe(Number.POSITIVE_INFINITY);
});

test('requests of several workers that pour in at once are never more than the limit at any moment', async () => {
  const workers = [worker(50), worker(50), worker(50)];
  let underWay = 0;
  let most = 0;
  let done = 0;
  const request = async (by: (typeof workers)[number]): Promise<void> => {
    expect(await by.take(carrierAccountId, new AbortController().signal)).toBe(true);
    underWay += 1;
    most = Math.max(most, underWay);
    // Long enough for whoever else has room.
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    underWay -= 1;
    done += 1;
    by.giveBack(carrierAccountId);
  };
  await Promise.all(workers.flatMap((one) => Array.from({ length: 60 }, () => request(one))));
  expect(done).toBe(180);
  expect(most).toBeLessThanOrEqual(AT_ONCE_MAX);
  expect(most).toBeGreaterThan(1);
  await Promise.all(workers.map((one) => one.close()));
  expect(await claim('after')).toBe(10);
});

test('room of which somebody makes nothing any more goes to the next who waits, before any renewal', async () => {
  const never = new AbortController().signal;
  const atOnce = createAtOnce({
    permits: { claim: () => Promise.resolve(1), release: () => Promise.resolve() },
    machine: {
      now: () => 0,
      sleep: (_ms, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve());
        }),
    },
    wanted: 1,
    onError: (error) => {
      throw error;
    },
  });
  expect(await atOnce.take('carrier', never)).toBe(true);
  let isOver = false;
  const first = atOnce.take('carrier', never, () => isOver);
  const next = atOnce.take('carrier', never);
  isOver = true;
  atOnce.giveBack('carrier');
  expect(await first).toBe(false);
  const turns = async (): Promise<string> => {
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    return 'waits';
  };
  expect(await Promise.race([next, turns()])).toBe(true);
  await atOnce.close();
});

test('a worker that stood still begins nothing before it has renewed its permits', async () => {
  const stopped = worker(50);
  expect(await stopped.take(carrierAccountId, new AbortController().signal)).toBe(true);
  stopped.giveBack(carrierAccountId);
  clock += 11_000;
  const gone = new AbortController();
  const waiting = stopped.take(carrierAccountId, gone.signal);
  gone.abort();
  expect(await waiting).toBe(false);
  await stopped.close();
});

test('an idle worker that is needed again while it gives its permits back keeps those that it claims then', async () => {
  // Only to give them back quotes the table's name; it waits for whoever holds the lock.
  const owner = openDatabase(openPool({ connectionString: database.url, connectionsMax: 1, role: 'owner' }));
  await sql`
    create function slow_release() returns trigger language plpgsql as $fn$
    begin
      if current_query() like 'delete from "carrier_permits"%' then perform pg_advisory_xact_lock(1); end if;
      return null;
    end $fn$;
    create trigger slow_release before delete on carrier_permits
      for each statement execute function slow_release()`.execute(owner);
  const idle = worker(50);
  expect(await idle.take(carrierAccountId, new AbortController().signal)).toBe(true);
  idle.giveBack(carrierAccountId);
  const taken = await db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(1)`.execute(trx);
    clock += 16_000;
    const waiting = sql<{ pid: number }>`
      select pid from pg_stat_activity where datname = current_database() and wait_event = 'advisory'`;
    await until(
      () => waiting.execute(owner),
      ({ rows }) => rows.length > 0,
    );
    const needed = idle.take(carrierAccountId, new AbortController().signal);
    // Enough for a claim that did not wait.
    for (let turn = 0; turn < 5; turn += 1) await claim('other', 0, 1);
    return { needed };
  });
  expect(await taken.needed).toBe(true);
  const { rows } = await sql`
    select from carrier_permits where carrier_account_id = ${carrierAccountId} and worker_id <> 'other'`.execute(
    db,
  );
  expect(rows.length).toBe(1);
  idle.giveBack(carrierAccountId);
  await idle.close();
  await sql`drop trigger slow_release on carrier_permits`.execute(owner);
  await owner.destroy();
});

test('while it renews a worker begins no more than it has told of, since the rest may be given to others', async () => {
  const busy = worker(50);
  const never = new AbortController().signal;
  const take = () => busy.take(carrierAccountId, never);
  expect(await take()).toBe(true);
  const owner = openDatabase(openPool({ connectionString: database.url, connectionsMax: 1, role: 'owner' }));
  const waiting = sql`
    select from pg_stat_activity where datname = current_database() and wait_event = 'advisory'`;
  const { begun, second } = await db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${carrierAccountId}, 20))`.execute(trx);
    // It has told that one request is under way, and waits for what it may have.
    await until(
      () => waiting.execute(owner),
      ({ rows }) => rows.length > 0,
    );
    let hasBegun = false;
    const another = take().then((taken) => {
      hasBegun = true;
      return taken;
    });
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    return { begun: hasBegun, second: another };
  });
  expect(begun).toBe(false);
  expect(await second).toBe(true);
  for (let request = 0; request < 2; request += 1) busy.giveBack(carrierAccountId);
  await busy.close();
  await owner.destroy();
});

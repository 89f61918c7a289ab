import { sql } from 'kysely';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DispatchWatch, watchDispatch } from '../../activities/dispatch-watch.ts';
import { PAUSE_CHANNEL, pauseCarrierAccount } from '../../db/carrier-accounts.ts';
import { noteFailures } from '../../db/circuits.ts';
import { type Db, openDatabase, openPool, withAccount } from '../../db/database.ts';
import { moveGate } from '../../db/gates.ts';
import { suppress } from '../../db/suppressions.ts';
import { until } from '../../dev/until.ts';
import { FAILURES_MIN } from '../../domain/dispatch/circuit.ts';
import type { Lease } from '../../domain/dispatch/dispatch-store.ts';
import { relayTo } from '../support/relay.ts';
import { type SeededAccount, seedAccount } from '../support/seed.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
let db: Db;
let watch: DispatchWatch;
let account: SeededAccount;
const HASH = Buffer.alloc(16, 7);

beforeAll(async () => {
  database = await createTestDatabase();
  const pool = openPool({ connectionString: database.url, connectionsMax: 6, role: 'carillon_app' });
  db = openDatabase(pool);
  watch = await watchDispatch(pool, () => undefined);
});
beforeEach(async () => {
  account = await seedAccount(db);
});
afterAll(async () => {
  await watch.close();
  await db.destroy();
  await database.drop();
});

/** Whether a post of a lease that was asked for at this machine time may go out. */
function permission(leasedAt = performance.now(), watching = watch): string {
  const { accountId, senderId } = account;
  const lease: Lease = {
    id: 1,
    month: '2026-03-01',
    accountId,
    messageKey: 1,
    lane: 0,
    fence: 1,
    carrierAccountId: account.carrierAccountId,
    senderId,
    from: '12345',
    kind: 'sms',
    mediaUrls: [],
    scopes: ['installation', accountId, senderId],
    recipients: [],
    isBulk: false,
    isProbe: false,
    isUnlimited: true,
    quotaClaims: [],
    segmentIntervalMs: 0,
    requestIntervalMs: 0,
    startDelayMs: 0,
    closesAt: null,
  };
  const person = {
    recipient: 1,
    attempt: 1,
    number: '+14155550100',
    numberHash: HASH.toString('hex'),
    text: 'Hi',
    segments: 1,
    costMicroUsd: 1,
  };
  return watching.permission(lease, person, leasedAt);
}

const gate = (by: 1 | -1) => withAccount(db, account.accountId, (trx) => moveGate(trx, account.senderId, by));

const optOut = () =>
  withAccount(db, account.accountId, (trx) =>
    suppress(trx, {
      accountId: account.accountId,
      number: '+14155550100',
      numberHash: HASH,
      kind: 'opt_out',
      senderId: null,
      source: 'inbound',
      actor: account.actor,
    }),
  );

function becomes(wanted: string, leasedAt?: number): Promise<string> {
  return until(
    () => Promise.resolve(permission(leasedAt)),
    (now) => now === wanted,
  );
}

/** Ends the listener's connection, as a failover does. */
async function cutListener(): Promise<void> {
  const admin = openPool({ connectionString: database.url, connectionsMax: 1, role: 'owner' });
  await admin.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and query like 'select scope_id from gates%'`,
  );
  await admin.end();
}

describe('the look before each post', () => {
  it('sees a gate close and open again', async () => {
    expect(permission()).toBe('open');
    await gate(1);
    await becomes('held');
    await gate(-1);
    await becomes('open');
  });

  it('stays closed through a gate that is moved back and forth in haste and ends closed', async () => {
    for (let round = 0; round < 20; round += 1) {
      await gate(1);
      await gate(-1);
    }
    await gate(1);
    await sql`select 1`.execute(db);
    await becomes('held');
    const reads = Array.from({ length: 50 }, () => sql`select 1`.execute(db));
    await Promise.all(reads);
    expect(permission()).toBe('held');
  });

  it('refuses what was leased before a circuit opened, and allows what is leased afterwards', async () => {
    const leasedBefore = performance.now();
    expect(permission(leasedBefore)).toBe('open');
    await noteFailures(db, [account.carrierAccountId], FAILURES_MIN);
    await until(
      () => Promise.resolve(permission(leasedBefore)),
      (permitted) => permitted === 'circuit_open',
    );
    expect(permission()).toBe('open');
  });

  it('refuses what was leased before the carrier asked for a pause, and allows what is leased afterwards', async () => {
    const leasedBefore = performance.now();
    expect(permission(leasedBefore)).toBe('open');
    await pauseCarrierAccount(db, account.carrierAccountId, 60_000);
    await until(
      () => Promise.resolve(permission(leasedBefore)),
      (permitted) => permitted === 'carrier_paused',
    );
    expect(permission()).toBe('open');
  });

  it('hears of a pause that grows, and once only of one that hardly does', async () => {
    const heard: string[] = [];
    const listener = new Client({ connectionString: database.url });
    await listener.connect();
    listener.on('notification', ({ payload = '' }) => heard.push(payload.replace(/^.* /, '')));
    await listener.query(`listen ${PAUSE_CHANNEL}`);
    for (const delayMs of [10_000, 10_001, 60_000, 30_000]) {
      await pauseCarrierAccount(db, account.carrierAccountId, delayMs);
    }
    // What was told before this has been heard when it is answered.
    await listener.query('select 1');
    await listener.end();
    expect(heard).toEqual(['10100', '60100']);
  });

  it('sees an opt-out of one number', async () => {
    expect(permission()).toBe('open');
    await optOut();
    await becomes('suppressed');
  });

  it('asks for all leases of an account anew once many numbers were suppressed at once, and for no other', async () => {
    const leasedBefore = performance.now();
    await sql`select pg_notify('carillon_suppressions', ${`*${account.accountId}`})`.execute(db);
    await becomes('held', leasedBefore);
    expect(permission()).toBe('open');
    account = await seedAccount(db);
    expect(permission(leasedBefore)).toBe('open');
  });

  it('refuses while its listener is cut off, and afterwards whatever was leased before', async () => {
    const leasedBefore = performance.now();
    expect(permission(leasedBefore)).toBe('open');
    await cutListener();
    await becomes('held', leasedBefore);
    await becomes('open');
    expect(permission(leasedBefore)).toBe('held');
  });

  it('refuses once the server of its listener is gone without a word, as one is whose machine fails', async () => {
    const relay = await relayTo(database.url, () => false);
    const pool = openPool({ connectionString: relay.url, connectionsMax: 2, role: 'carillon_app' });
    const far = await watchDispatch(pool, () => undefined, 50);
    expect(permission(undefined, far)).toBe('open');
    relay.withhold();
    await gate(1);
    await until(
      () => Promise.resolve(permission(undefined, far)),
      (now) => now === 'held',
    );
    await far.close();
    await relay.close();
    await pool.end();
  });

  it('knows a gate that closed while its listener was cut off', async () => {
    const leasedBefore = performance.now();
    await cutListener();
    await gate(1);
    await becomes('held', leasedBefore);
    const other = account;
    account = await seedAccount(db);
    await becomes('open');
    account = other;
    expect(permission()).toBe('held');
  });
});

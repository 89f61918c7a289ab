import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createApp } from '../../api/app.ts';
import type { Api } from '../../api/deps.ts';
import { signPlivoCallback } from '../../carrier/plivo/callback-signature.ts';
import {
  countCallbackRefusals,
  listCallbackRefusals,
  resolveQuietRefusals,
} from '../../db/callback-refusals.ts';
import { callbackUrlsOf, type SigningKey } from '../../db/callback-url.ts';
import { openPool, withAccount } from '../../db/database.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import type { Lease } from '../../domain/dispatch/dispatch-store.ts';
import { type FrozenCampaign, type LedgerWorld, openLedgerWorld, uuidOf } from './ledger-world.ts';

const PUBLIC_URL = 'https://carillon.example';
const KEY: SigningKey = { id: 'k1', secret: Buffer.alloc(32, 7) };
const TOKEN = 'token-of-the-carrier';

let world: LedgerWorld;
let campaign: FrozenCampaign;
let lease: Lease;
let api: Api;
let path: string;

beforeAll(async () => {
  world = await openLedgerWorld();
});
beforeEach(async () => {
  await world.db.deleteFrom('callback_refusals').execute();
  await withAccount(world.db, 'operator', (trx) => trx.deleteFrom('alerts').execute());
  campaign = await world.freeze(2);
  lease = await campaign.lease();
  await campaign.record(lease, 'accepted');
  api = await openApi();
  const post = { month: lease.month, leaseId: lease.id, request: 0 };
  path = callbackUrlsOf('', KEY, campaign.account.accountId, post)(post.request);
});
afterAll(() => world.close());

function openApi(): Promise<Api> {
  const never = () => Promise.reject(new Error('Callbacks ask nothing of the engine.'));
  return createApp(
    {
      db: world.db,
      pool: openPool({ connectionString: world.databaseUrl, connectionsMax: 1, role: 'carillon_app' }),
      crash: noCrash,
      hashKey: Buffer.from('test'),
      now: Date.now,
      publicUrl: PUBLIC_URL,
      keys: [KEY],
      defaultCredentials: { authId: 'MA1', authToken: TOKEN },
      acceptV2Signatures: false,
      workflows: {
        wakeCampaign: never,
        ensureCampaign: never,
        pokeCampaign: never,
        hasRun: never,
        runningCampaigns: never,
        applyAction: never,
        wakeCentral: never,
        ensureCentral: never,
        pokeCentral: never,
        applyCentralAction: never,
        lookAtSlice: never,
        isReachable: never,
        startImport: never,
        startTestSend: never,
        wakeReconcile: never,
      },
    },
    false,
  );
}

/** A delivered report on the first of the lease, signed as the carrier signs it, before `altered` is written over it. */
async function report(
  to: string,
  signed: Readonly<Record<string, string>> = {},
  altered: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly body: string }> {
  const [person] = lease.recipients;
  const params = {
    MessageUUID: uuidOf(person?.recipient ?? 0),
    To: (person?.number ?? '').slice(1),
    From: '12345',
    Status: 'delivered',
    ...signed,
  };
  const headers = signPlivoCallback({
    method: 'POST',
    url: PUBLIC_URL + to,
    params,
    authToken: TOKEN,
    nonce: '1',
  });
  const { statusCode, body } = await api.inject({
    method: 'POST',
    url: to,
    headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams({ ...params, ...altered }).toString(),
  });
  return { status: statusCode, body };
}

/** What has been counted, once everything is. */
async function counted(): Promise<Record<string, number>> {
  await api.close();
  const { items } = await world.db.transaction().execute((trx) =>
    listCallbackRefusals(trx, {
      kinds: [],
      reasons: [],
      sort: 'day',
      descending: true,
      offset: 0,
      limit: 50,
    }),
  );
  return Object.fromEntries(items.map(({ kind, reason, count }) => [`${kind} ${reason}`, count]));
}

test('a report that is taken is not counted, the same once more is, and both are answered alike', async () => {
  const first = await report(path);
  expect(first.status).toBe(200);
  expect(await report(path)).toEqual(first);
  expect(await counted()).toEqual({ 'status repeated': 1 });
  expect(await campaign.report()).toMatchObject({ delivered: 1 });
});

test('forged and altered reports are refused alike and counted by what is wrong with them', async () => {
  const forgedMac = `${path.slice(0, -1)}${path.endsWith('A') ? 'B' : 'A'}`;
  const refused = await report(forgedMac);
  expect(refused.status).toBe(403);
  expect(await report(path.replace('/k1/', '/k9/'))).toEqual(refused);
  // Whoever alters a report breaks its signature, and whoever has none of the carrier's key has none at all.
  expect(await report(path, {}, { Status: 'failed' })).toEqual(refused);
  expect(await report(path, {}, { To: '14155559999' })).toEqual(refused);
  const unsigned = await api.inject({ method: 'POST', url: path, payload: {} });
  expect(unsigned.statusCode).toBe(403);
  // Replayed to another post, or another uuid for a text that has one.
  expect(await report(path, { To: '14155559999' })).toEqual(refused);
  expect(await report(path, { MessageUUID: 'another-uuid-0000' })).toEqual(refused);
  expect(await counted()).toEqual({ 'status path': 2, 'status signature': 3, 'status mismatch': 2 });
  expect(await campaign.report()).toMatchObject({ delivered: 0 });
});

test('what cannot be read is counted, too', async () => {
  expect((await report(path, { Status: 'glorious' })).status).toBe(400);
  const other = { method: 'POST', url: path, headers: { 'content-type': 'application/xml' } } as const;
  expect((await api.inject({ ...other, payload: '<delivered/>' })).statusCode).toBe(415);
  const fields = Array.from({ length: 65 }, (_, index) => `f${index}=1`).join('&');
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const inbound = { method: 'POST', url: '/callbacks/plivo/inbound/default', headers: form } as const;
  expect((await api.inject({ ...inbound, payload: fields })).statusCode).toBe(400);
  expect(await counted()).toEqual({ 'status form': 2, 'inbound form': 1 });
});

test('texts of people are refused alike whether there is such a carrier account or not', async () => {
  const at = (id: string) => report(`/callbacks/plivo/inbound/${id}`, {}, { To: '1' });
  const refused = await at(campaign.account.carrierAccountId);
  expect(refused.status).toBe(403);
  expect(await at('car_00000000000000000000000000')).toEqual(refused);
  expect(await at('default')).toEqual(refused);
  expect(await counted()).toEqual({ 'inbound signature': 3 });
});

const openAlerts = () =>
  withAccount(world.db, 'operator', (trx) =>
    trx
      .selectFrom('alerts')
      .where('kind', '=', 'callback_refusals')
      .where('resolved_at', 'is', null)
      .select(['cause', 'count', 'subject_kind as subject'])
      .execute(),
  );
const refuse = (count: number) =>
  countCallbackRefusals(world.db, [{ kind: 'status', reason: 'signature', count }]);

test('the operator is told when many of a day are refused, once for each time they are too many', async () => {
  await refuse(9);
  await countCallbackRefusals(world.db, [{ kind: 'status', reason: 'repeated', count: 1_000_000 }]);
  expect(await openAlerts()).toEqual([]);
  await Promise.all([refuse(1), refuse(1)]);
  const alert = { cause: 'status_signature', subject: 'installation' };
  expect(await openAlerts()).toEqual([{ ...alert, count: 1 }]);
  await refuse(8);
  expect(await openAlerts()).toEqual([{ ...alert, count: 1 }]);
  await refuse(31);
  expect(await openAlerts()).toEqual([{ ...alert, count: 2 }]);
});

test('the alert ends by itself once nobody was refused for an hour', async () => {
  await refuse(10);
  await resolveQuietRefusals(world.db);
  expect(await openAlerts()).toHaveLength(1);
  await sql`update callback_refusals set last_at = last_at - interval '61 minutes'`.execute(world.db);
  await resolveQuietRefusals(world.db);
  expect(await openAlerts()).toEqual([]);
});

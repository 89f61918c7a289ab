import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Carrier } from '../../carrier/carrier.ts';
import { createPlivoCarrier } from '../../carrier/plivo/plivo-carrier.ts';
import { answer, AUTH_ID, AUTH_TOKEN, type PlivoServer, startPlivoServer } from './plivo-server.ts';
import {
  AUTH_ID as SANDBOX_ID,
  AUTH_TOKEN as SANDBOX_TOKEN,
  type SandboxWorld,
  startSandboxWorld,
} from './sandbox-world.ts';

/** As Plivo's documentation shows it. */
const ACCOUNT = {
  account_type: 'standard',
  auth_id: AUTH_ID,
  auto_recharge: false,
  billing_mode: 'prepaid',
  cash_credits: '12.34560',
  name: 'Harbour Bakery',
  resource_uri: `/v1/Account/${AUTH_ID}/`,
  timezone: 'America/New_York',
};

let server: PlivoServer;
let carrier: Carrier;
beforeAll(async () => {
  server = await startPlivoServer();
});
beforeEach(() => {
  server.reset();
  carrier = createPlivoCarrier({ authId: AUTH_ID, authToken: AUTH_TOKEN, apiUrl: server.url });
});
afterEach(() => carrier.close());
afterAll(() => server.close());

describe('the carrier account', () => {
  it('is asked for once, by its own address', async () => {
    server.behave = answer(200, ACCOUNT);
    expect(await carrier.account()).toEqual({ kind: 'told', creditMicroUsd: 12_345_600, isEnabled: true });
    expect(server.posted.map(({ method, path }) => `${method} ${path}`)).toEqual([
      `GET /v1/Account/${AUTH_ID}/`,
    ]);
  });

  it.each([
    ['no credit left', { cash_credits: '0' }, { creditMicroUsd: 0, isEnabled: true }],
    ['a debt', { cash_credits: '-0.5' }, { creditMicroUsd: -500_000, isEnabled: true }],
    ['an amount that is a number', { cash_credits: 1.5 }, { creditMicroUsd: 1_500_000, isEnabled: true }],
    [
      'a bill afterwards',
      { cash_credits: '0', billing_mode: 'postpaid' },
      { creditMicroUsd: null, isEnabled: true },
    ],
    ['being disabled', { enabled: false }, { creditMicroUsd: 12_345_600, isEnabled: false }],
    ['being enabled', { enabled: true }, { creditMicroUsd: 12_345_600, isEnabled: true }],
  ])('tells of %s', async (_what, fields, standing) => {
    server.behave = answer(200, { ...ACCOUNT, ...fields });
    expect(await carrier.account()).toEqual({ kind: 'told', ...standing });
  });

  it.each([
    ['401', answer(401), { kind: 'refused' }],
    ['403', answer(403), { kind: 'refused' }],
    ['402', answer(402), { kind: 'told', creditMicroUsd: 0, isEnabled: true }],
    ['404', answer(404), { kind: 'untold' }],
    ['501', answer(501), { kind: 'untold' }],
    ['an account without credit', answer(200, { name: 'Harbour Bakery' }), { kind: 'untold' }],
    ['a credit of no form', answer(200, { ...ACCOUNT, cash_credits: 'plenty' }), { kind: 'untold' }],
    ['an empty credit', answer(200, { ...ACCOUNT, cash_credits: ' ' }), { kind: 'untold' }],
    ['no JSON', answer(200, '<html></html>'), { kind: 'untold' }],
    ['500', answer(500), { kind: 'silent', retryAfterMs: null }],
    ['503', answer(503), { kind: 'silent', retryAfterMs: null }],
    ['429', answer(429, '', { 'retry-after': '7' }), { kind: 'silent', retryAfterMs: 7_000 }],
  ])('that answers with %s is read as what is known then', async (_what, behave, standing) => {
    server.behave = behave;
    expect(await carrier.account()).toEqual(standing);
    expect(server.posted).toHaveLength(1);
  });

  it('that breaks off, or is given up on, is silent', async () => {
    server.behave = (_response, socket) => socket.resetAndDestroy();
    expect(await carrier.account()).toEqual({ kind: 'silent', retryAfterMs: null });
    const patience = new AbortController();
    server.behave = () => patience.abort();
    expect(await carrier.account(patience.signal)).toEqual({ kind: 'silent', retryAfterMs: null });
  });
});

describe("the sandbox's account", () => {
  let world: SandboxWorld;
  let sandbox: Carrier;
  beforeEach(async () => {
    world = await startSandboxWorld();
    sandbox = createPlivoCarrier({ authId: SANDBOX_ID, authToken: SANDBOX_TOKEN, apiUrl: world.url });
  });
  afterEach(async () => {
    await sandbox.close();
    await world.close();
  });

  it('has the credit that is left, and more than enough where none is set', async () => {
    await world.control('PUT', 'settings', { creditMicroUsd: 25_000 });
    expect(await sandbox.account()).toEqual({ kind: 'told', creditMicroUsd: 25_000, isEnabled: true });
    await world.control('PUT', 'settings', { creditMicroUsd: null });
    expect(await sandbox.account()).toMatchObject({ creditMicroUsd: 1e12 });
  });

  it('is disabled, refuses its credentials, or answers with an error where that is set', async () => {
    await world.control('PUT', 'settings', { isAccountDisabled: true });
    expect(await sandbox.account()).toMatchObject({ kind: 'told', isEnabled: false });
    await world.control('PUT', 'settings', { isAccountDisabled: false, refusesCredentials: true });
    expect(await sandbox.account()).toEqual({ kind: 'refused' });
    expect((await world.send({ dst: '+14155550001' })).status).toBe(401);
    await world.control('PUT', 'settings', { refusesCredentials: false, accountHttpStatus: 503 });
    expect(await sandbox.account()).toMatchObject({ kind: 'silent' });
    expect((await world.send({ dst: '+14155550001' })).status).toBe(202);
  });

  it('counts among the requests of five seconds', async () => {
    await world.control('PUT', 'settings', { requestsPer5s: 2 });
    await sandbox.account();
    expect((await world.send({ dst: '+14155550001' })).status).toBe(202);
    expect(await sandbox.account()).toMatchObject({ kind: 'silent', retryAfterMs: expect.any(Number) });
    expect((await world.send({ dst: '+14155550001' })).status).toBe(429);
  });
});

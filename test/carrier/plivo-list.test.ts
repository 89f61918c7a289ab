import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Carrier, ListRequest } from '../../carrier/carrier.ts';
import { createPlivoCarrier } from '../../carrier/plivo/plivo-carrier.ts';
import { answer, AUTH_ID, AUTH_TOKEN, type PlivoServer, startPlivoServer } from './plivo-server.ts';
import {
  AUTH_ID as SANDBOX_ID,
  AUTH_TOKEN as SANDBOX_TOKEN,
  SENDER,
  startSandboxWorld,
} from './sandbox-world.ts';

const UUID = '00000000-0000-4000-8000-000000000001';
const REQUEST: ListRequest = {
  from: '+14155550100',
  to: '+14155550001',
  since: Date.parse('2026-03-03T10:00:00.900Z'),
  until: Date.parse('2026-03-03T10:05:00.100Z'),
  offset: 20,
};
const RECORD = {
  message_uuid: UUID,
  from_number: '14155550100',
  to_number: '14155550001',
  message_time: '2026-03-03 10:02:00.500+00:00',
  message_state: 'delivered',
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

describe("a page of the carrier's list", () => {
  it('is asked for by from, to and a time in UTC that is rounded outwards', async () => {
    server.behave = answer(200, { objects: [] });
    expect(await carrier.list(REQUEST)).toEqual({ kind: 'listed', texts: [], isLast: true });
    const [asked, ...others] = server.posted;
    expect(others).toEqual([]);
    expect(asked?.method).toBe('GET');
    const url = new URL(asked?.path ?? '', server.url);
    expect(url.pathname).toBe(`/v1/Account/${AUTH_ID}/Message/`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      from_number: '14155550100',
      to_number: '14155550001',
      message_direction: 'outbound',
      message_time__gte: '2026-03-03 10:00:00',
      message_time__lte: '2026-03-03 10:05:01',
      limit: '20',
      offset: '20',
    });
  });

  it.each([
    ['2026-03-03 10:02:00.500+00:00', '2026-03-03T10:02:00.500Z'],
    ['2026-03-03 10:02:00', '2026-03-03T10:02:00Z'],
    ['2026-03-03 12:02:00+02:00', '2026-03-03T10:02:00Z'],
  ])('reads the time %s as %s', async (time, instant) => {
    server.behave = answer(200, { objects: [{ ...RECORD, message_time: time }] });
    const texts = [{ uuid: UUID, at: Date.parse(instant) }];
    expect(await carrier.list(REQUEST)).toEqual({ kind: 'listed', texts, isLast: true });
  });

  it('is not the last one when it is full', async () => {
    server.behave = answer(200, { objects: Array.from({ length: 20 }, () => RECORD) });
    expect(await carrier.list(REQUEST)).toMatchObject({ kind: 'listed', isLast: false });
  });

  it.each<[unknown, string]>([
    [{ ...RECORD, to_number: '14155550002' }, 'of another number'],
    [{ ...RECORD, message_time: 'yesterday' }, 'without a time'],
    [{ ...RECORD, message_uuid: '' }, 'without a uuid'],
    ['text', 'of no shape'],
  ])('with a record %#, %s, says nothing', async (record) => {
    server.behave = answer(200, { objects: [RECORD, record] });
    expect(await carrier.list(REQUEST)).toMatchObject({ kind: 'failed', cause: 'malformed_answer' });
  });

  it.each([
    [429, { 'retry-after': '7' }, 'rate_limited', 7_000],
    [401, {}, 'credentials', null],
    [400, {}, 'malformed_answer', null],
    [503, {}, 'unavailable', null],
    [200, {}, 'malformed_answer', null],
  ] as const)('answered with %i says why there is none', async (status, headers, cause, retryAfterMs) => {
    server.behave = answer(status, { error: 'no' }, headers);
    expect(await carrier.list(REQUEST)).toEqual({ kind: 'failed', cause, retryAfterMs });
    expect(server.posted).toHaveLength(1);
  });

  it('that never arrives is a failure and no error', async () => {
    server.behave = (_response, socket) => socket.destroy();
    expect(await carrier.list(REQUEST)).toMatchObject({ kind: 'failed', cause: 'unavailable' });
  });
});

it('the sandbox shows through the same client what it has accepted, once it is visible, and nothing else', async () => {
  const world = await startSandboxWorld();
  const client = createPlivoCarrier({
    authId: SANDBOX_ID,
    authToken: SANDBOX_TOKEN,
    apiUrl: world.url,
  });
  try {
    const text = { from: SENDER, text: 'Hello', mediaUrls: [], callbackUrl: 'http://127.0.0.1:1/' };
    const sent = await client.send({ ...text, to: ['+14155550001'] });
    await client.send({ ...text, to: ['+14155550002'] });
    const now = Date.now();
    const page = { from: SENDER, to: '+14155550001', since: now - 60_000, until: now + 60_000, offset: 0 };
    const uuid = sent.kind === 'accepted' ? sent.uuids[0] : undefined;
    expect(uuid).toBeDefined();
    const listed = await client.list(page);
    expect(listed).toMatchObject({ kind: 'listed', texts: [{ uuid }], isLast: true });
    await world.control('PUT', 'settings', { recordDelayMs: 60_000 });
    expect(await client.list(page)).toEqual({ kind: 'listed', texts: [], isLast: true });
  } finally {
    await client.close();
    await world.close();
  }
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../dev/until.ts';
import { AUTH_ID, AUTH_TOKEN, type SandboxWorld, SENDER, startSandboxWorld } from './sandbox-world.ts';

let world: SandboxWorld;
beforeAll(async () => {
  world = await startSandboxWorld();
});
afterAll(async () => {
  await world.close();
});
afterEach(async () => {
  await world.control('DELETE', 'ledger');
  await world.control('DELETE', 'faults');
});

const to = (tail: string): string => `+1415555${tail}`;
const texted = async (): Promise<string[]> => (await world.ledger()).map(({ dst }) => dst);

describe('a magic number asks for its fault', () => {
  it.each([
    ['9020', 400, 'error', false],
    ['9021', 401, 'error', false],
    ['9023', 500, 'error', false],
    ['9024', 500, '<html>', true],
    ['9025', 503, 'error', false],
    ['9029', 202, '', true],
    ['9030', 202, '{"message":', true],
  ])('%s: HTTP %i with %j, in the ledger: %s', async (tail, wanted, content, isAccepted) => {
    const { status, text, uuids } = await world.send({ dst: to(tail) });
    expect(status).toBe(wanted);
    expect(uuids).toEqual([]);
    expect(text).toContain(content);
    expect(text === '').toBe(content === '');
    expect(await texted()).toEqual(isAccepted ? [to(tail)] : []);
  });

  it('counts how many requests were answered with each fault', async () => {
    const read = async () => (await world.control('GET', 'stats')).json() as Promise<{ faults: object }>;
    const before = new Map(Object.entries((await read()).faults));
    await world.control('POST', 'faults', { fault: 'http_503', count: 2 });
    for (let request = 0; request < 3; request += 1) await world.send({ dst: to('0001') });
    const { faults } = await read();
    expect(faults).toMatchObject({ http_503: (before.get('http_503') ?? 0) + 2 });
  });

  it('9022: 429 for the first attempt only', async () => {
    const first = await world.send({ dst: to('9022') });
    expect([first.status, first.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await texted()).toEqual([]);
    expect((await world.send({ dst: to('9022') })).status).toBe(202);
    expect(await texted()).toEqual([to('9022')]);
  });

  it('9026: accepted, and no answer comes while the client waits', async () => {
    const gone = new AbortController();
    const answer = fetch(`${world.url}/v1/Account/${AUTH_ID}/Message/`, {
      method: 'POST',
      signal: gone.signal,
      headers: {
        authorization: `Basic ${Buffer.from(`${AUTH_ID}:${AUTH_TOKEN}`).toString('base64')}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ src: SENDER, dst: to('9026'), text: 'Hi' }),
    }).then(
      () => 'answered',
      () => 'gone',
    );
    await until(texted, (numbers) => numbers.length === 1);
    gone.abort();
    expect(await answer).toBe('gone');
    expect(await texted()).toEqual([to('9026')]);
  });

  it('9027: reset after acceptance', async () => {
    await expect(world.send({ dst: to('9027') })).rejects.toThrow('fetch failed');
    expect(await texted()).toEqual([to('9027')]);
  });

  it('9028: reset before acceptance', async () => {
    await expect(world.send({ dst: to('9028') })).rejects.toThrow('fetch failed');
    expect(await texted()).toEqual([]);
  });

  it('only in a request of its own: in bulk it is a number like any other', async () => {
    expect((await world.send({ dst: `${to('9020')}<${to('9023')}` })).status).toBe(202);
    expect(await texted()).toEqual([to('9020'), to('9023')]);
  });
});

describe('a rule orders faults', () => {
  it('for so many requests, bulk included', async () => {
    await world.control('POST', 'faults', { fault: 'http_503', count: 2 });
    const bulk = { dst: `${to('0001')}<${to('0002')}` };
    expect((await world.send(bulk)).status).toBe(503);
    expect((await world.send(bulk)).status).toBe(503);
    expect((await world.send(bulk)).status).toBe(202);
    expect(await texted()).toHaveLength(2);
  });

  it('for a share of them, and the ledger is exact', async () => {
    await world.control('POST', 'faults', { fault: 'reset_accepted', rate: 0.3 });
    await world.control('POST', 'faults', { fault: 'reset_before', rate: 0.3 });
    await world.control('POST', 'faults', { fault: 'empty_accepted', rate: 0.3 });
    const outcomes: string[] = [];
    for (let index = 0; index < 60; index += 1) {
      const dst = to(String(index).padStart(4, '0'));
      outcomes.push(
        await world.send({ dst }).then(
          ({ text }) => (text === '' ? 'empty' : 'ok'),
          () => 'reset',
        ),
      );
    }
    const count = (outcome: string): number => outcomes.filter((one) => one === outcome).length;
    const accepted = (await texted()).length;
    expect(count('reset')).toBeGreaterThan(0);
    expect(count('empty')).toBeGreaterThan(0);
    expect(accepted).toBeGreaterThan(count('ok') + count('empty'));
    expect(accepted).toBeLessThan(60);
    expect(new Set(await texted()).size).toBe(accepted);
  });

  it('for one sender or one recipient', async () => {
    await world.control('POST', 'faults', { fault: 'http_400', to: to('0001') });
    await world.control('POST', 'faults', { fault: 'http_403', from: '24365' });
    expect((await world.send({ dst: to('0001') })).status).toBe(400);
    expect((await world.send({ dst: to('0002'), src: '24365' })).status).toBe(403);
    expect((await world.send({ dst: to('0002') })).status).toBe(202);
  });

  it('for the fate of texts', async () => {
    await world.control('POST', 'faults', { fault: 'undelivered_80', count: 1 });
    await world.send({ dst: `${to('0001')}<${to('0002')}` });
    const lines = await until(world.ledger, (all) => all.every(({ final }) => final !== null));
    expect(lines.map(({ final }) => final)).toEqual(['undelivered', 'delivered']);
  });

  it('until all are deleted', async () => {
    await world.control('POST', 'faults', { fault: 'http_500' });
    expect((await world.send({ dst: to('0001') })).status).toBe(500);
    expect((await world.control('DELETE', 'faults')).status).toBe(204);
    expect((await world.send({ dst: to('0001') })).status).toBe(202);
  });

  it.each([
    ['POST', 'faults', { fault: 'earthquake' }],
    ['POST', 'faults', { fault: 'http_500', times: 3 }],
    ['POST', 'faults', { fault: 'http_500', rate: 2 }],
    ['PUT', 'settings', { requestPer5s: 1 }],
    ['PUT', 'settings', { callbackDelayMs: { min: 9, max: 1 } }],
    ['PUT', 'numbers/24365', { smsSegmentsPerSecond: 0 }],
    ['POST', 'inbound', { from: '+14155550001', to: '24365' }],
  ])('and a slip is refused: %s %s %j', async (method, path, body) => {
    const response = await world.control(method, path, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ api_id: expect.any(String), error: expect.any(String) });
  });
});

describe('an account in trouble', () => {
  it('whose credit is used up has its texts fail with 900', async () => {
    await world.control('PUT', 'settings', { creditMicroUsd: 25_000 });
    await world.send({ dst: `${to('0001')}<${to('0002')}<${to('0003')}` });
    await world.control('PUT', 'settings', { creditMicroUsd: null });
    const lines = await until(world.ledger, (all) => all.every(({ final }) => final !== null));
    expect(lines.map(({ error_code: code }) => code)).toEqual(['000', '000', '900']);
  });

  it('that is disabled has its texts fail with 910', async () => {
    await world.control('PUT', 'settings', { isAccountDisabled: true });
    await world.send({ dst: to('0001') });
    await world.control('PUT', 'settings', { isAccountDisabled: false });
    const [line] = await until(world.ledger, ([one]) => one?.final !== null);
    expect(line).toMatchObject({ final: 'failed', error_code: '910' });
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../dev/until.ts';
import {
  type LedgerLine,
  type Receiver,
  type SandboxWorld,
  SENDER,
  startReceiver,
  startSandboxWorld,
} from './sandbox-world.ts';

let world: SandboxWorld;
beforeEach(async () => {
  world = await startSandboxWorld();
});
afterEach(async () => {
  await world.close();
});

const to = (tail: number): string => `+1415555${String(tail).padStart(4, '0')}`;
const some = (count: number): string =>
  Array.from({ length: count }, (_, index) => to(1_000 + index)).join('<');
const ended = (lines: readonly LedgerLine[]): number => lines.filter(({ final }) => final !== null).length;

describe('requests', () => {
  it('beyond 300 in 5 s are refused with the time to wait, and are not in the ledger', async () => {
    await world.control('PUT', 'settings', { requestsPer5s: 300 });
    const statuses: number[] = [];
    let retryAfter: string | null = null;
    for (let index = 0; index < 310; index += 1) {
      const { status, headers } = await world.send({ dst: to(1) });
      statuses.push(status);
      retryAfter = headers.get('retry-after') ?? retryAfter;
    }
    const accepted = statuses.filter((status) => status === 202).length;
    // A slow machine takes more than 5 s, and then more than 300 are right.
    expect(accepted).toBeGreaterThanOrEqual(300);
    expect(accepted + statuses.filter((status) => status === 429).length).toBe(310);
    expect(accepted === 310 ? 1 : Number(retryAfter)).toBeGreaterThanOrEqual(1);
    expect(await world.ledger()).toHaveLength(accepted);
  });

  it('beyond those at once are refused, and a client that has gone frees its place', async () => {
    await world.control('PUT', 'settings', { requestsAtOnceMax: 1 });
    await world.control('POST', 'faults', { fault: 'hang_accepted', count: 1 });
    const gone = new AbortController();
    const hanging = fetch(`${world.url}/v1/Account/MASANDBOXTEST0000001/Message/`, {
      method: 'POST',
      signal: gone.signal,
      headers: {
        authorization: `Basic ${Buffer.from('MASANDBOXTEST0000001:sandbox-test-token').toString('base64')}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ src: SENDER, dst: to(1), text: 'Hi' }),
    }).catch(() => null);
    await until(world.ledger, (lines) => lines.length === 1);
    expect((await world.send({ dst: to(2) })).status).toBe(429);
    gone.abort();
    await hanging;
    await until(
      async () => (await world.send({ dst: to(2) })).status,
      (status) => status === 202,
    );
  });

  it('for lists beyond 20 a minute are refused', async () => {
    for (let index = 0; index < 20; index += 1) expect((await world.get('?limit=1')).status).toBe(200);
    const refused = await world.get('?limit=1');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(50);
  });
});

describe("a number's queue", () => {
  it('lets texts out at its own pace, by segments', async () => {
    await world.control('PUT', `numbers/${SENDER}`, { smsSegmentsPerSecond: 20 });
    const startedAt = performance.now();
    await world.send({ dst: some(6), text: 'a'.repeat(200) });
    await until(world.ledger, (lines) => ended(lines) === 6);
    // Five texts of two segments go before the last one.
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(500);
  });

  it('holds nobody up but its own, and lets all out at once when the pace is lifted', async () => {
    await world.control('PUT', `numbers/${SENDER}`, { smsSegmentsPerSecond: 0.001 });
    await world.send({ dst: some(3) });
    await world.send({ dst: to(1), src: '24365' });
    await until(world.ledger, (lines) => ended(lines) === 2);
    expect((await world.ledger()).map(({ final }) => final)).toEqual(['delivered', null, null, 'delivered']);
    await world.control('PUT', `numbers/${SENDER}`, { smsSegmentsPerSecond: null });
    await until(world.ledger, (lines) => ended(lines) === 4);
  });

  it('has a pace of its own for MMS', async () => {
    await world.control('PUT', `numbers/${SENDER}`, { mmsPerSecond: 0.001 });
    const picture = { type: 'mms', media_urls: ['https://example.com/a.png'] };
    await world.send({ dst: some(2), ...picture });
    await world.send({ dst: to(1) });
    await until(world.ledger, (lines) => ended(lines) === 2);
    expect((await world.ledger()).map(({ final }) => final)).toEqual(['delivered', null, 'delivered']);
  });

  it('fails a text with 420 that has waited too long', async () => {
    await world.control('PUT', `numbers/${SENDER}`, { smsSegmentsPerSecond: 0.001 });
    await world.control('PUT', 'settings', { queueMsMax: 200 });
    await world.send({ dst: some(3) });
    const lines = await until(world.ledger, (all) => ended(all) === 3);
    expect(lines.map(({ error_code: code }) => code)).toEqual(['000', '420', '420']);
  });
});

describe('texts that people send', () => {
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await startReceiver();
    await world.control('PUT', 'settings', { inboundUrl: `${receiver.url}/inbound` });
  });
  afterEach(async () => {
    await receiver.close();
  });
  const says = async (from: string, sender: string, text: string): Promise<unknown> =>
    (await world.control('POST', 'inbound', { from, to: sender, text })).json();
  const fate = async (src: string): Promise<string | null | undefined> => {
    await world.control('DELETE', 'ledger');
    await world.send({ src, dst: to(1) });
    await world.control('PUT', `numbers/${src}`, { smsSegmentsPerSecond: null });
    const [line] = await until(world.ledger, ([one]) => one?.final !== null);
    return line?.error_code;
  };

  it('are posted, signed, and their answer is told', async () => {
    expect(await says(to(1), '24365', 'Is the bread ready?')).toEqual({ status: 200, isStopped: false });
    expect(receiver.arrivals[0]?.form).toMatchObject({
      From: '14155550001',
      To: '24365',
      Text: 'Is the bread ready?',
      Type: 'sms',
    });
    expect(receiver.arrivals[0]?.headers['x-plivo-signature-v3']).toBeDefined();
    receiver.answers.push(403);
    expect(await says(to(1), '24365', 'Hello?')).toMatchObject({ status: 403 });
  });

  it.each([
    ['a long code', SENDER, 'Stop.', 'start', '200'],
    ['a long code by another word', SENDER, 'unsubscribe', 'YES', '200'],
    ['a toll-free number', '+18335550100', 'STOP', 'unstop', '200'],
    ['a toll-free number, which knows no other word', '+18335550100', 'QUIT', 'START', '000'],
    ['a short code, which blocks nobody', '24365', 'STOP', 'START', '000'],
    ['nobody: it is no word on its own', SENDER, 'stop by later', 'START', '000'],
  ])('block %s', async (_what, src, stop, start, code) => {
    await says(to(1), src, stop);
    expect(await fate(src)).toBe(code);
    await says(to(1), src, start);
    expect(await fate(src)).toBe('000');
  });

  it('block one pair of numbers only', async () => {
    await says(to(2), SENDER, 'STOP');
    expect(await fate(SENDER)).toBe('000');
  });

  it('block by what the number is said to be', async () => {
    await world.control('PUT', `numbers/${SENDER}`, { type: 'short_code' });
    await says(to(1), SENDER, 'STOP');
    expect(await fate(SENDER)).toBe('000');
    await world.control('PUT', `numbers/${SENDER}`, { type: '10dlc' });
    expect(await fate(SENDER)).toBe('200');
  });

  it('block where the number is said to', async () => {
    await world.control('PUT', 'numbers/24365', { blocksStop: true });
    await says(to(1), '24365', 'STOP');
    expect(await fate('24365')).toBe('200');
  });
});

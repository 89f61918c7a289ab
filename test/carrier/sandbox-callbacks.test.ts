import { validateSignature, validateV3Signature } from 'plivo';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../dev/until.ts';
import {
  type Arrival,
  AUTH_TOKEN,
  type Receiver,
  type SandboxWorld,
  startReceiver,
  startSandboxWorld,
} from './sandbox-world.ts';

let world: SandboxWorld;
let receiver: Receiver;
beforeAll(async () => {
  world = await startSandboxWorld();
});
afterAll(async () => {
  await world.close();
});
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(async () => {
  await world.control('DELETE', 'ledger');
  await receiver.close();
});

const to = (tail: string): string => `+1415555${tail}`;
const send = async (tail: string, more: Readonly<Record<string, unknown>> = {}): Promise<string> => {
  const { uuids } = await world.send({ dst: to(tail), url: `${receiver.url}/status?post=1`, ...more });
  return uuids[0] ?? '';
};
/** Waits until nothing more is on its way. */
const told = async (uuid: string, count: number): Promise<readonly Arrival[]> => {
  await until(
    () => Promise.resolve(receiver.statusesOf(uuid)),
    (statuses) => statuses.length >= count,
  );
  await until(
    async () => (await (await world.control('GET', 'stats')).json()) as { callbacks: { waiting: number } },
    ({ callbacks }) => callbacks.waiting === 0,
  );
  return receiver.arrivals.filter(({ form }) => form['MessageUUID'] === uuid);
};
/** Over several connections they arrive in any order. */
const words = (arrivals: readonly Arrival[]): string[] => {
  const said = arrivals.map(({ form }) => `${form['Sequence']} ${form['Status']}`);
  return said.toSorted((one, other) => one.localeCompare(other));
};
const isSigned = ({ url, method, headers, form }: Arrival): boolean => {
  const header = (name: string): string => String(headers[name] ?? '');
  const v3 = validateV3Signature(
    method,
    url,
    header('x-plivo-signature-v3-nonce'),
    AUTH_TOKEN,
    header('x-plivo-signature-v3'),
    method === 'POST' ? { ...form } : {},
  );
  const v2 = validateSignature(
    url,
    header('x-plivo-signature-v2-nonce'),
    header('x-plivo-signature-v2'),
    AUTH_TOKEN,
  );
  // The SDK's typings and its code disagree about what it returns.
  return String(v3) === 'true' && String(v2) === 'true';
};

describe('status callbacks', () => {
  it('tell queued, sent and delivered, signed as the SDK verifies it', async () => {
    const arrivals = await told(await send('0001'), 3);
    expect(words(arrivals)).toEqual(['1 queued', '2 sent', '3 delivered']);
    expect(arrivals.map(isSigned)).toEqual([true, true, true]);
    const last = arrivals.find(({ form }) => form['Status'] === 'delivered');
    expect(last?.form).toMatchObject({
      From: '14155550100',
      To: '14155550001',
      Units: '1',
      TotalAmount: '0.010700',
      ErrorCode: '000',
      MCC: '310',
    });
    expect(last?.form['DeliveryReportTime']).toBeDefined();
  });

  it("fail the SDK's check when a field is changed", async () => {
    const [arrival] = await told(await send('0001'), 3);
    if (arrival === undefined) throw new Error('Nothing arrived.');
    expect(isSigned({ ...arrival, form: { ...arrival.form, To: '14155550002' } })).toBe(false);
  });

  it('come as GET when the request asks for it', async () => {
    const arrivals = await told(await send('0001', { method: 'GET' }), 3);
    expect(arrivals.map(({ method }) => method)).toEqual(['GET', 'GET', 'GET']);
    expect(arrivals.map(isSigned)).toEqual([true, true, true]);
  });

  it('cost nothing when the text failed', async () => {
    const arrivals = await told(await send('9001'), 2);
    const last = arrivals.find(({ form }) => form['Status'] === 'failed');
    expect(last?.form).toMatchObject({ TotalAmount: '0.000000', ErrorCode: '300' });
    expect(receiver.statusesOf(last?.form['MessageUUID'] ?? '')).not.toContain('sent');
  });

  it('are tried again until they are answered with 2xx', async () => {
    await world.control('PUT', 'settings', { retryDelaysMs: [10, 20, 40] });
    receiver.answers.push(500, 503, 404);
    const arrivals = await told(await send('9001'), 5);
    expect(arrivals).toHaveLength(5);
    expect(new Set(arrivals.map(({ form }) => form['Status']))).toEqual(new Set(['queued', 'failed']));
  });

  it('are given up after the last try', async () => {
    await world.control('PUT', 'settings', { retryDelaysMs: [10, 20, 40] });
    receiver.answers.push(...Array<number>(8).fill(500));
    const arrivals = await told(await send('9001'), 8);
    expect(arrivals).toHaveLength(8);
  });

  it('share connections that stay open', async () => {
    for (let index = 0; index < 20; index += 1) await told(await send('0001'), 3);
    const connections = new Set(receiver.arrivals.map(({ connection }) => connection));
    expect(receiver.arrivals).toHaveLength(60);
    expect(connections.size).toBeLessThanOrEqual(32);
  });
});

describe('magic numbers', () => {
  it.each([
    ['0000', 'delivered', '000'],
    ['9001', 'failed', '300'],
    ['9002', 'undelivered', '80'],
    ['9003', 'undelivered', '70'],
    ['9004', 'failed', '50'],
    ['9005', 'failed', '30'],
    ['9006', 'failed', '420'],
    ['9012', 'failed', '200'],
    ['9031', 'failed', '900'],
    ['9032', 'failed', '910'],
  ])('%s ends %s with %s, in callback and ledger', async (tail, final, code) => {
    const uuid = await send(tail);
    const arrivals = await told(uuid, final === 'failed' ? 2 : 3);
    const last = arrivals.find(({ form }) => form['Sequence'] === '3');
    expect(last?.form).toMatchObject({ Status: final, ErrorCode: code });
    expect(await world.ledger()).toMatchObject([{ uuid, final, error_code: code }]);
  });

  it('9007 hears no more than sent', async () => {
    const uuid = await send('9007');
    await until(world.ledger, ([line]) => line?.final === 'sent');
    expect(words(await told(uuid, 2))).toEqual(['1 queued', '2 sent']);
  });

  it('9008 is delivered and nobody is told', async () => {
    await send('9008');
    await until(world.ledger, ([line]) => line?.final === 'delivered');
    expect(receiver.arrivals).toEqual([]);
  });

  it('9009 is told twice', async () => {
    const arrivals = await told(await send('9009'), 6);
    const twice = ['1 queued', '2 sent', '3 delivered'].flatMap((word) => [word, word]);
    expect(words(arrivals)).toEqual(twice);
  });

  it('9010 hears sent after delivered', async () => {
    await world.control('PUT', 'settings', { callbackDelayMs: { min: 1, max: 400 } });
    const uuid = await send('9010');
    await told(uuid, 3);
    expect(receiver.statusesOf(uuid).slice(1)).toEqual(['delivered', 'sent']);
    await world.control('PUT', 'settings', { callbackDelayMs: { min: 1, max: 10 } });
  });

  it('9011 is signed wrongly first, then right', async () => {
    const arrivals = await told(await send('9011'), 6);
    const finals = arrivals.filter(({ form }) => form['Status'] === 'delivered');
    expect(finals.map(isSigned)).toEqual([false, true]);
  });

  it('9013 is late', async () => {
    await world.control('PUT', 'settings', { lateCallbackMs: 1_500 });
    const uuid = await send('9013');
    await until(world.ledger, ([line]) => line?.final === 'delivered');
    expect(receiver.statusesOf(uuid)).not.toContain('delivered');
    await told(uuid, 3);
    expect(receiver.statusesOf(uuid)).toContain('delivered');
  });
});

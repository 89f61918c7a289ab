import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../../dev/until.ts';
import { AUTH_ID, type SandboxWorld, SENDER, startSandboxWorld } from './sandbox-world.ts';

let world: SandboxWorld;
beforeAll(async () => {
  world = await startSandboxWorld();
});
afterAll(async () => {
  await world.close();
});
beforeEach(async () => {
  await world.control('DELETE', 'ledger');
});

const number = (tail: number): string => `+1415555${String(tail).padStart(4, '0')}`;

describe('a single send', () => {
  it('is accepted with one id, and the ledger has its truth', async () => {
    const before = Date.now();
    const { status, uuids } = await world.send({ dst: number(1), text: 'Bread is ready' });
    expect(status).toBe(202);
    expect(uuids).toHaveLength(1);
    const [line] = await until(world.ledger, ([one]) => one?.final !== null);
    expect(line).toEqual({
      src: SENDER,
      dst: number(1),
      sha256: createHash('sha256').update('Bread is ready').digest('hex'),
      time: expect.any(Number),
      uuid: uuids[0],
      final: 'delivered',
      error_code: '000',
    });
    expect(line?.time).toBeGreaterThanOrEqual(before);
  });

  it('takes a form as well as JSON', async () => {
    const response = await fetch(`${world.url}/v1/Account/${AUTH_ID}/Message/`, {
      method: 'POST',
      headers: { authorization: basic(AUTH_ID, 'sandbox-test-token') },
      body: new URLSearchParams({ src: SENDER, dst: number(1), text: 'Hi' }),
    });
    expect(response.status).toBe(202);
    expect(await world.ledger()).toHaveLength(1);
  });

  it('is priced and counted in segments as its record says', async () => {
    const { uuids } = await world.send({ dst: number(1), text: 'a'.repeat(161) });
    const record = await (await world.get(`${uuids[0]}/`)).json();
    expect(record).toMatchObject({
      units: 2,
      total_amount: '0.02140',
      total_rate: '0.01070',
      message_type: 'sms',
      message_direction: 'outbound',
      from_number: '14155550100',
      to_number: '14155550001',
    });
  });
});

describe('a bulk send', () => {
  it('texts each number once, however often and however it is written', async () => {
    const { status, uuids } = await world.send({ dst: `${number(1)}<14155550001<${number(2)}<${number(1)}` });
    expect(status).toBe(202);
    expect(uuids).toHaveLength(2);
    expect((await world.ledger()).map(({ dst }) => dst)).toEqual([number(1), number(2)]);
  });

  it('names what is no number and texts the rest', async () => {
    const { status, uuids, invalid } = await world.send({ dst: `${number(1)}<12<baker` });
    expect(status).toBe(202);
    expect(uuids).toHaveLength(1);
    expect(invalid).toEqual(['12', 'baker']);
  });

  it('answers with ids in another order than that of the numbers', async () => {
    const { uuids } = await world.send({ dst: [number(1), number(2), number(3)].join('<') });
    const ledger = await world.ledger();
    expect(uuids.toSorted()).toEqual(ledger.map(({ uuid }) => uuid).toSorted());
    expect(uuids).not.toEqual(ledger.map(({ uuid }) => uuid));
  });

  it('takes a thousand numbers and refuses one more', async () => {
    const many = Array.from({ length: 1_001 }, (_, index) => number(1_000 + index));
    expect((await world.send({ dst: many.slice(1).join('<') })).uuids).toHaveLength(1_000);
    expect((await world.send({ dst: many.join('<') })).status).toBe(400);
    expect(await world.ledger()).toHaveLength(1_000);
  });
});

describe('what is refused is not in the ledger', () => {
  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['no destination', { dst: '' }],
    ['no valid destination', { dst: 'baker' }],
    ['no text', { dst: number(1), text: '' }],
    ['1,601 GSM characters', { dst: number(1), text: 'a'.repeat(1_601) }],
    ['738 UCS-2 units', { dst: number(1), text: 'я'.repeat(738) }],
    ['a picture in an SMS', { dst: number(1), media_urls: ['https://example.com/a.png'] }],
    ['eleven pictures', { dst: number(1), type: 'mms', media_urls: Array(11).fill('https://example.com/a') }],
    ['a sender that texts itself', { dst: SENDER }],
    ['a sender that is none', { dst: number(1), src: '!' }],
    ['an expiry of 4 s', { dst: number(1), message_expiry: 4 }],
    ['an expiry over 3 h', { dst: number(1), message_expiry: 10_800 }],
    ['a callback that is no URL', { dst: number(1), url: 'here' }],
  ])('%s', async (_what, body) => {
    const { status, text } = await world.send(body);
    expect(status).toBe(400);
    expect(JSON.parse(text)).toEqual({ api_id: expect.any(String), error: expect.any(String) });
    expect(await world.ledger()).toEqual([]);
  });

  it('wrong credentials, and another account than theirs', async () => {
    const post = (account: string, token: string) =>
      fetch(`${world.url}/v1/Account/${account}/Message/`, {
        method: 'POST',
        headers: { authorization: basic(AUTH_ID, token), 'content-type': 'application/json' },
        body: JSON.stringify({ src: SENDER, dst: number(1), text: 'Hi' }),
      });
    expect((await post(AUTH_ID, 'guess')).status).toBe(401);
    expect((await post('MASOMEBODYELSE', 'sandbox-test-token')).status).toBe(401);
    expect(await world.ledger()).toEqual([]);
  });

  it('a body that is no JSON', async () => {
    const response = await fetch(`${world.url}/v1/Account/${AUTH_ID}/Message/`, {
      method: 'POST',
      headers: { authorization: basic(AUTH_ID, 'sandbox-test-token'), 'content-type': 'application/json' },
      body: '{"src":',
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ api_id: expect.any(String), error: expect.any(String) });
  });
});

describe('records', () => {
  it('are not found under an id that nobody got', async () => {
    expect((await world.get('00000000-0000-4000-8000-000000000000/')).status).toBe(404);
    expect((await world.get('nonsense/')).status).toBe(404);
  });

  it('are listed newest first, at most 20, and paged by offset', async () => {
    await world.send({ dst: Array.from({ length: 25 }, (_, index) => number(index)).join('<') });
    const first = await list('limit=50');
    expect(first.meta).toMatchObject({ limit: 20, offset: 0, total_count: 25, previous: null });
    expect(first.objects).toHaveLength(20);
    expect(first.objects[0]?.to_number).toBe('14155550024');
    const second = await list('limit=20&offset=20');
    expect(second.objects.map(({ to_number: to }) => to).at(-1)).toBe('14155550000');
    expect(second.objects).toHaveLength(5);
  });

  it('are filtered by number, state, error and time', async () => {
    await world.send({ dst: `${number(1)}<${number(2)}<+14155559001` });
    await until(world.ledger, (lines) => lines.every(({ final }) => final !== null));
    const to = async (query: string) => (await list(query)).objects.map(({ to_number: number_ }) => number_);
    expect(await to('to_number=%2B14155550001')).toEqual(['14155550001']);
    expect(await to('from_number=14155550100&message_state=failed')).toEqual(['14155559001']);
    expect(await to('error_code=300')).toEqual(['14155559001']);
    const at = (ms: number) => new Date(Date.now() + ms).toISOString().slice(0, 16).replace('T', ' ');
    expect(await to(`message_time__gte=${at(-120_000)}`)).toHaveLength(3);
    expect(await to(`message_time__lt=${at(-120_000)}`)).toEqual([]);
    expect((await world.get('?message_time__gte=yesterday')).status).toBe(400);
  });

  it('stay invisible for as long as the settings say, while the ledger has them', async () => {
    await world.control('PUT', 'settings', { recordDelayMs: 3_600_000 });
    const { uuids } = await world.send({ dst: number(1) });
    expect((await world.get(`${uuids[0]}/`)).status).toBe(404);
    expect((await list('')).objects).toEqual([]);
    expect(await world.ledger()).toHaveLength(1);
    await world.control('PUT', 'settings', { recordDelayMs: 0 });
    expect((await world.get(`${uuids[0]}/`)).status).toBe(200);
  });
});

interface Page {
  readonly meta: Readonly<Record<string, unknown>>;
  readonly objects: readonly { readonly to_number: string }[];
}

async function list(query: string): Promise<Page> {
  await world.control('PUT', 'settings', { listsPerMinute: 1_000 });
  // The sandbox's own answer; what the tests compare is in it or they fail.
  return (await (await world.get(`?${query}`)).json()) as Page;
}

function basic(id: string, token: string): string {
  return `Basic ${Buffer.from(`${id}:${token}`).toString('base64')}`;
}

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { signPlivoCallback } from '../../carrier/plivo/callback-signature.ts';
import { type ApiWorld, type Caller, openApiWorld, routesOf } from './api-world.ts';

const LIMIT = 6;
const FORM = 'application/x-www-form-urlencoded';

let world: ApiWorld;
beforeAll(async () => {
  world = await openApiWorld();
});
afterAll(() => world.close());

async function makeKey(): Promise<string> {
  const reply = await world.mine.call('POST', '/v1/keys', {
    body: { name: 'Busy', scopes: ['read', 'write'] },
  });
  return String(reply.body['key']);
}

/** Another API, which answers so few. */
const openStrict = (limits: { readonly perKey: number; readonly perAddress: number }) =>
  world.openAnother(limits);

async function statuses(call: Caller, path: string, count: number): Promise<number[]> {
  const found: number[] = [];
  for (let sent = 0; sent < count; sent += 1) found.push((await call('GET', path)).status);
  return found;
}

describe('a key', () => {
  test('is told what is left of its minute, and refused what is beyond, with how long to wait', async () => {
    const call = (await openStrict({ perKey: LIMIT, perAddress: 1_000 }))(await makeKey());
    for (let left = LIMIT - 1; left >= 0; left -= 1) {
      const { status, headers } = await call('GET', '/v1/account');
      expect([status, headers.get('ratelimit-limit'), headers.get('ratelimit-remaining')]).toEqual([
        200,
        String(LIMIT),
        String(left),
      ]);
      expect(headers.get('ratelimit-policy')).toBe(`"key";q=${LIMIT};w=60`);
      expect(headers.get('ratelimit')).toMatch(new RegExp(`^"key";r=${left};t=\\d+$`));
    }
    const { status, body, type, headers } = await call('GET', '/v1/account');
    expect([status, type, body['code']]).toEqual([429, 'application/problem+json', 'too-many-requests']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect(headers.get('retry-after')).toBe(headers.get('ratelimit-reset'));
  });

  test('beyond its limit changes nothing, and leaves other keys theirs', async () => {
    const another = await openStrict({ perKey: LIMIT, perAddress: 1_000 });
    const [busy, calm] = [another(await makeKey()), another(await makeKey())];
    expect(await statuses(busy, '/v1/account', LIMIT + 2)).toEqual([...Array(LIMIT).fill(200), 429, 429]);
    const before = await world.snapshot();
    expect((await busy('POST', '/v1/lists', { body: { name: 'Never' } })).status).toBe(429);
    expect(await world.snapshot()).toEqual(before);
    expect((await calm('GET', '/v1/account')).status).toBe(200);
  });

  test('is counted by each process for itself', async () => {
    const key = await makeKey();
    const [first, second] = [
      (await openStrict({ perKey: 2, perAddress: 1_000 }))(key),
      (await openStrict({ perKey: 2, perAddress: 1_000 }))(key),
    ];
    expect(await statuses(first, '/v1/account', 3)).toEqual([200, 200, 429]);
    expect(await statuses(second, '/v1/account', 3)).toEqual([200, 200, 429]);
  });
});

describe('an address', () => {
  test.each([
    ['what the carrier has not said', 403, { 'content-type': FORM }, 'Status=sent'],
    ['what is no form', 415, { 'content-type': 'application/xml' }, '<sent/>'],
    ['more than a form holds', 413, { 'content-type': FORM }, `Status=${'x'.repeat(70_000)}`],
    ['too many fields', 400, { 'content-type': FORM }, 'a=b&'.repeat(100)],
  ])('may report %s so often, and is refused what is beyond', async (_what, status, headers, body) => {
    for (const path of ['inbound/default', `${world.mine.accountId}/k1/202601-1-1/${'A'.repeat(32)}`]) {
      const call = (await openStrict({ perKey: 1_000, perAddress: LIMIT }))('');
      const found: number[] = [];
      for (let sent = 0; sent <= LIMIT; sent += 1) {
        found.push((await call('POST', `/callbacks/plivo/${path}`, { headers, body })).status);
      }
      expect(found, path).toEqual([...Array.from({ length: LIMIT }, () => status), 429]);
    }
  });

  test('from which much is forged still has every genuine inbound text taken, so that no STOP is lost', async () => {
    const authToken = 'token-of-another-carrier-account';
    const account = await world.operator('POST', '/v1/carrier-accounts', {
      body: { name: 'Second', authId: 'MASECONDACCOUNT00001', authToken },
    });
    expect(account.status).toBe(201);
    const path = `/callbacks/plivo/inbound/${String(account.body['id'])}`;
    const call = (await openStrict({ perKey: 1_000, perAddress: LIMIT }))('');
    const headers = { 'content-type': FORM };
    const forged = async (): Promise<number> =>
      (await call('POST', path, { headers, body: 'Text=STOP' })).status;
    const refused: number[] = [];
    for (let sent = 0; sent <= LIMIT; sent += 1) refused.push(await forged());
    expect(refused).toEqual([...Array(LIMIT).fill(403), 429]);
    for (let sent = 0; sent <= LIMIT; sent += 1) {
      const params = {
        MessageUUID: `00000000-0000-4000-8000-00000000000${sent}`,
        From: '14155559999',
        To: '12345',
        Text: 'STOP',
      };
      const signed = signPlivoCallback({
        method: 'POST',
        url: `http://127.0.0.1${path}`,
        params,
        authToken,
        nonce: String(sent),
      });
      const body = new URLSearchParams(params).toString();
      const { status } = await call('POST', path, { headers: { ...headers, ...signed }, body });
      expect(status).toBe(200);
    }
    expect(await forged(), 'what is forged is counted as before').toBe(429);
  });

  test.each([
    ['is the one that a trusted proxy names', ['127.0.0.1'], 200],
    ['that somebody names who is no trusted proxy is not believed', ['10.0.0.5'], 429],
  ])('%s', async (_what, trustedProxies, other) => {
    const limits = { perKey: 1_000, perAddress: LIMIT };
    const call = (await world.openAnother(limits, undefined, trustedProxies))('none');
    const from = async (address: string): Promise<number> =>
      (await call('GET', '/health', { headers: { 'x-forwarded-for': address } })).status;
    for (let sent = 0; sent < LIMIT; sent += 1) expect(await from('203.0.113.5')).toBe(200);
    expect(await from('203.0.113.5')).toBe(429);
    expect(await from('203.0.113.6')).toBe(other);
  });

  test('that needs no key is counted, too', async () => {
    const call = (await openStrict({ perKey: 1_000, perAddress: LIMIT }))('none');
    expect(await statuses(call, '/health', LIMIT + 1)).toEqual([...Array(LIMIT).fill(200), 429]);
    expect((await call('GET', '/health')).headers.get('ratelimit-policy')).toContain('"address"');
  });

  test('that tries keys is stopped, while a key that is good goes on', async () => {
    const another = await openStrict({ perKey: 1_000, perAddress: LIMIT });
    const guessing = another(`crl_aaaaaaaaaaaa_${'A'.repeat(43)}`);
    expect(await statuses(guessing, '/v1/account', LIMIT + 1)).toEqual([...Array(LIMIT).fill(401), 429]);
    expect((await another(await makeKey())('GET', '/v1/account')).status).toBe(200);
  });
});

test('every operation with a key documents the refusal and how long to wait', () => {
  const lacking = routesOf(world.document).filter(({ operation }) => {
    const isOpen = operation.security?.length === 0;
    return !isOpen && !JSON.stringify(operation.responses?.['429'] ?? null).includes('Retry-After');
  });
  expect(lacking.map(({ operation }) => operation.operationId)).toEqual([]);
});

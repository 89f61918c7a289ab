import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

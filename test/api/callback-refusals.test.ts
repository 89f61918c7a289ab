import { afterAll, beforeAll, expect, test } from 'vitest';
import { countCallbackRefusals } from '../../db/callback-refusals.ts';
import { type ApiWorld, openApiWorld } from './api-world.ts';

let world: ApiWorld;

beforeAll(async () => {
  world = await openApiWorld();
  await countCallbackRefusals(world.db, [
    { kind: 'status', reason: 'signature', count: 3 },
    { kind: 'status', reason: 'repeated', count: 40 },
    { kind: 'inbound', reason: 'signature', count: 1 },
  ]);
});
afterAll(() => world.close());

const PATH = '/v1/callback-refusals';

interface PageBody {
  readonly items: readonly { readonly kind: string; readonly reason: string; readonly count: number }[];
  readonly total: number;
  readonly pages: number;
}

async function page(query: string): Promise<PageBody> {
  const { status, body } = await world.operator('GET', `${PATH}?${query}`);
  expect([query, status]).toEqual([query, 200]);
  return body as unknown as PageBody;
}

test('are listed in pages by how many they are', async () => {
  for (const [order, counts] of [
    ['desc', [40, 3, 1]],
    ['asc', [1, 3, 40]],
  ] as const) {
    const parts = await Promise.all(
      counts.map((_, index) => page(`sort=count&order=${order}&pageSize=1&page=${index + 1}`)),
    );
    expect(parts.map(({ total, pages, items }) => [total, pages, items.length])).toEqual(
      counts.map(() => [3, 3, 1]),
    );
    expect(parts.flatMap(({ items }) => items.map((item) => item.count))).toEqual(counts);
  }
});

test('are narrowed by kind, reason and day to what fits', async () => {
  for (const [query, counts] of [
    ['kind=status', [40, 3]],
    ['reason=signature', [3, 1]],
    ['kind=status&reason=signature', [3]],
    ['reason=signature&reason=repeated', [40, 3, 1]],
    ['to=2020-01-01', []],
    ['from=2020-01-01', [40, 3, 1]],
  ] as const) {
    const { items, total } = await page(`${query}&sort=count`);
    expect([query, total, items.map((item) => item.count)]).toEqual([query, counts.length, counts]);
  }
});

test('are shown to an operator alone, and what cannot be asked is named', async () => {
  expect((await world.mine.call('GET', PATH)).status).toBe(403);
  expect((await world.anonymous('GET', PATH)).status).toBe(401);
  for (const query of ['kind=letter', 'reason=whim', 'from=yesterday', 'sort=reason', 'page=0']) {
    const { status, body } = await world.operator('GET', `${PATH}?${query}`);
    expect([query, status, body['code']]).toEqual([query, 400, 'invalid-field']);
  }
});

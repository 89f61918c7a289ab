import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ACKNOWLEDGEMENT } from '../../domain/launch-check.ts';
import { openBranch, openParent, openPreset, pairOf } from '../presets/franchise.ts';
import { type ApiWorld, openApiWorld, type Reply, type Tenant } from './api-world.ts';
import { create, createDraft } from './seeded-things.ts';

/** By their names in the order of the list: without regard to case, and who has left last. */
const NAMES = ['50% off_inn', 'München', 'Ost munchen', 'Reno', 'Zoë'] as const;
const SCHEDULE = { local: '2027-01-12T15:00', zone: 'America/New_York' };

interface Page<Item> {
  readonly items: readonly Item[];
  readonly total: number;
  readonly pages: number;
  readonly page: number;
  readonly pageSize: number;
}
interface Line {
  readonly accountId: string;
  readonly name: string | null;
  readonly state: string;
  readonly reason: { readonly code: string } | null;
}

let world: ApiWorld;
let parent: Tenant;
let branches: Map<string, Tenant>;
/** A campaign of all branches, of which one had left and one was disabled when it was launched. */
let central: string;
/** A review of it from before the launch. */
let review: string;

beforeAll(async () => {
  world = await openApiWorld();
  parent = await openParent(world);
  branches = new Map();
  for (const name of NAMES) branches.set(name, await openBranch(world, parent, name));
  const left = await openBranch(world, parent, 'Gone');
  const preset = await openPreset(parent, 'All', [...branches.values(), left].map(pairOf));
  await left.call('POST', '/v1/account/leave-parent');
  await parent.call('POST', `/v1/accounts/${branchOf('Reno').accountId}/disable`, {
    body: { reason: 'It has closed.' },
  });
  central = await draftCentral('Spring', preset.split('/').at(-1) ?? '');
  review = String((await reviewOf(central)).body['token']);
  const body = { start: 'scheduled', reviewToken: review };
  const launched = await parent.call('POST', `/v1/campaigns/${central}/launch`, { body });
  if (launched.status !== 202) throw new Error(`It was not launched: ${launched.status}.`);
});
afterAll(() => world.close());

function branchOf(name: (typeof NAMES)[number]): Tenant {
  const branch = branches.get(name);
  if (branch === undefined) throw new Error(`There is no branch ${name}.`);
  return branch;
}

async function draftCentral(name: string, presetId: string): Promise<string> {
  const id = await create(parent.call, '/v1/campaigns', {
    kind: 'central',
    name,
    presetId,
    ownerId: parent.personId,
    purpose: 'marketing',
    acknowledgement: ACKNOWLEDGEMENT,
  });
  await create(parent.call, `/v1/campaigns/${id}/messages`, { text: 'Hi', schedule: SCHEDULE });
  return id;
}

function reviewOf(campaign: string): Promise<Reply> {
  return parent.call('POST', `/v1/campaigns/${campaign}/review`, { body: { start: 'scheduled' } });
}

async function page<Item>(path: string, query: string): Promise<Page<Item>> {
  const { status, body } = await parent.call('GET', `${path}?${query}`);
  expect([query, status]).toEqual([query, 200]);
  // The API's own schema has checked the page.
  return body as unknown as Page<Item>;
}

/** Every item of a list as its pages of one have it, each of which tells the total. */
async function oneByOne<Item>(path: string, query: string, total: number): Promise<Item[]> {
  const items: Item[] = [];
  for (let number = 1; number <= total; number += 1) {
    const part = await page<Item>(path, `${query}&pageSize=1&page=${number}`);
    expect(part).toMatchObject({ total, pages: total, page: number, pageSize: 1 });
    expect(part.items).toHaveLength(1);
    items.push(...part.items);
  }
  return items;
}

/** How these queries are refused: status, code, and whether the field that is wrong is named. */
function refusalsOf(path: string, queries: readonly string[]): Promise<unknown[]> {
  return Promise.all(
    queries.map(async (query) => {
      const { status, body } = await parent.call('GET', `${path}?${query}`);
      const [error] = (body['errors'] ?? []) as readonly { readonly pointer: string }[];
      const isNamed = error?.pointer.startsWith(`/query/${query.split('=')[0]}`);
      return [query, status, body['code'], isNamed];
    }),
  );
}

const refusedAll = (queries: readonly string[]): unknown[] =>
  queries.map((query) => [query, 400, 'invalid-field', true]);
const answerOf = ({ status, body }: Reply): string => `${status} ${String(body['code'])}`;

describe('the accounts of a central campaign', () => {
  const pathOf = (): string => `/v1/campaigns/${central}/accounts`;
  const named = async (query: string): Promise<(string | null)[]> => {
    const { items, total } = await page<Line>(pathOf(), `${query}&pageSize=200`);
    expect([query, total]).toEqual([query, items.length]);
    return items.map(({ name }) => name);
  };

  test('stand on one page each, by name, and every page tells how many there are', async () => {
    const all = await page<Line>(pathOf(), 'pageSize=200');
    expect(all.items.map(({ name }) => name)).toEqual([...NAMES, null]);
    expect(await oneByOne<Line>(pathOf(), '', NAMES.length + 1)).toEqual(all.items);
    expect(await page(pathOf(), 'page=99&pageSize=4')).toMatchObject({ items: [], total: 6, pages: 2 });
  });

  test('tell the state and why, also of those that were over before they began', async () => {
    const { items } = await page<Line>(pathOf(), '');
    const told = items.map(({ name, state, reason }) => [name, state, reason?.code ?? null]);
    const waiting = NAMES.filter((name) => name !== 'Reno').map((name) => [name, 'waiting', null]);
    expect(told).toEqual([
      ...waiting.slice(0, 3),
      ['Reno', 'aborted', 'account_disabled'],
      ...waiting.slice(3),
      [null, 'aborted', 'account_left'],
    ]);
  });

  test('are narrowed to states, of which several are joined by or', async () => {
    const waiting = NAMES.filter((name) => name !== 'Reno');
    expect(await named('state=waiting')).toEqual(waiting);
    expect(await named('state=aborted')).toEqual(['Reno', null]);
    expect(await named('state=aborted&state=waiting')).toEqual([...NAMES, null]);
    expect(await named('state=done&state=paused')).toEqual([]);
    expect((await oneByOne<Line>(pathOf(), 'state=waiting', 4)).map(({ name }) => name)).toEqual(waiting);
  });

  test('are found by a part of their name, without regard to case or accents', async () => {
    expect(await named('q=MUNCHEN')).toEqual(['München', 'Ost munchen']);
    expect(await named('q=zoe')).toEqual(['Zoë']);
    expect(await named('q=%25')).toEqual(['50% off_inn']);
    expect(await named('q=nobody%20has%20this')).toEqual([]);
    expect(await named('q=o&state=aborted')).toEqual(['Reno']);
  });

  test('are asked for with filters that are known, in the places that they have', async () => {
    const queries = [
      'state=asleep',
      'q=%20',
      'q=',
      'sort=name',
      'order=asc',
      'reason=account_left',
      'page=0',
      'pageSize=201',
      'page=x',
    ];
    expect(await refusalsOf(pathOf(), queries)).toEqual(refusedAll(queries));
  });

  test('are of one campaign, which is the parent’s own and central', async () => {
    const { campaign } = await createDraft(parent, 'Standard');
    expect(answerOf(await parent.call('GET', `/v1/campaigns/${campaign}/accounts`))).toBe(
      '409 not-interchangeable',
    );
    for (const other of [world.theirs, branchOf('Zoë')]) {
      expect(answerOf(await other.call('GET', pathOf()))).toBe('404 not-found');
    }
    const draft = await create(parent.call, '/v1/campaigns', { kind: 'central' });
    expect(await page(`/v1/campaigns/${draft}/accounts`, '')).toMatchObject({
      items: [],
      total: 0,
      pages: 0,
    });
  });
});

describe('the accounts of a review', () => {
  interface Reviewed {
    readonly accountId: string;
    readonly name: string;
    readonly warnings: readonly { readonly code: string }[];
  }
  const pathOf = (): string => `/v1/campaigns/${central}/reviews/${review}/accounts`;

  test('stand on one page each, in one order, and every page tells how many there are', async () => {
    const all = await page<Reviewed>(pathOf(), 'pageSize=200');
    expect(all).toMatchObject({ total: 6, pages: 1 });
    const ids = all.items.map(({ accountId }) => accountId);
    expect(new Set(ids).size).toBe(6);
    for (const branch of branches.values()) expect(ids).toContain(branch.accountId);
    expect(await oneByOne<Reviewed>(pathOf(), '', 6)).toEqual(all.items);
    expect(await page(pathOf(), 'page=99&pageSize=4')).toMatchObject({ items: [], total: 6, pages: 2 });
  });

  test('tell of each what it would be warned of, also of those of which nothing would be sent', async () => {
    const { items } = await page<Reviewed>(pathOf(), '');
    const told = new Map(items.map(({ name, warnings }) => [name, warnings.map(({ code }) => code)]));
    expect(told.get('Reno')).toEqual(['account_disabled']);
    expect(told.get('')).toEqual(['account_left']);
    expect(told.get('Zoë')).toEqual(['nobody']);
  });

  test('stay as they were when it was reviewed', async () => {
    const before = await page<Reviewed>(pathOf(), '');
    await branchOf('Zoë').call('PATCH', '/v1/account', { body: { name: 'Zoe Inn' } });
    expect(await page<Reviewed>(pathOf(), '')).toEqual(before);
    await branchOf('Zoë').call('PATCH', '/v1/account', { body: { name: 'Zoë' } });
  });

  test('are asked for page by page and by nothing else', async () => {
    const queries = ['q=zoe', 'state=waiting', 'sort=name', 'page=0', 'pageSize=201', 'page=x'];
    expect(await refusalsOf(pathOf(), queries)).toEqual(refusedAll(queries));
  });

  test('are of one review of one campaign of the parent', async () => {
    const preset = await openPreset(parent, 'Two', [pairOf(branchOf('Zoë')), pairOf(branchOf('München'))]);
    const other = await draftCentral('Autumn', preset.split('/').at(-1) ?? '');
    const token = String((await reviewOf(other)).body['token']);
    expect((await page(`/v1/campaigns/${other}/reviews/${token}/accounts`, '')).total).toBe(2);
    const elsewhere = await parent.call('GET', `/v1/campaigns/${other}/reviews/${review}/accounts`);
    expect(answerOf(elsewhere)).toBe('404 not-found');
    for (const stranger of [world.theirs, branchOf('Zoë')]) {
      expect(answerOf(await stranger.call('GET', pathOf()))).toBe('404 not-found');
    }
    const { campaign } = await createDraft(parent, 'Standard, reviewed');
    const standard = String((await reviewOf(campaign)).body['token']);
    const ofStandard = await parent.call('GET', `/v1/campaigns/${campaign}/reviews/${standard}/accounts`);
    expect(answerOf(ofStandard)).toBe('404 not-found');
  });
});

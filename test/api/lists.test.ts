import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiWorld, type Caller, openApiWorld, routesOf } from './api-world.ts';
import { create, createPair, PIXEL } from './seeded-things.ts';

/** A list in pages: who reads it, what it is sorted by, and filters that are wrong. */
interface PagedList {
  readonly id: string;
  readonly path: string;
  readonly by?: 'operator';
  readonly sorts: readonly string[];
  /** A part of the names of exactly these many, in another case and with other accents. */
  readonly q?: readonly [text: string, count: number];
  /** A filter with the number of those that it leaves; several values of one are joined by or. */
  readonly filters: readonly (readonly [query: string, count: number])[];
  readonly bad: readonly string[];
}

const LISTS: readonly PagedList[] = [
  {
    id: 'listCampaigns',
    path: '/v1/campaigns',
    sorts: ['createdAt', 'name', 'status', 'startAt', 'createdBy', 'messageCount', 'listNames'],
    q: ['ÉTÉ', 2],
    filters: [
      ['status=draft', 5],
      ['status=draft&status=sending', 5],
      ['status=sending', 0],
      ['purpose=marketing', 1],
      ['purpose=marketing&purpose=service', 2],
      ['createdFrom=2020-01-01T00:00:00Z', 5],
      ['createdTo=2020-01-01T00:00:00Z', 0],
    ],
    bad: [
      'status=asleep',
      'purpose=fun',
      'ownerId=12',
      'listId=lst',
      'createdBy=me',
      'sort=size',
      'order=up',
    ],
  },
  {
    id: 'listLists',
    path: '/v1/lists',
    sorts: ['name', 'createdAt', 'contacts'],
    q: ['cafe', 2],
    filters: [],
    bad: ['sort=size', 'q=%20', 'q='],
  },
  {
    id: 'listPeople',
    path: '/v1/people',
    sorts: ['name', 'address', 'createdAt'],
    q: ['zoe', 2],
    filters: [
      ['disabled=true', 1],
      ['disabled=false&q=Zo%C3%AB', 2],
      ['disabled=true&q=Zo%C3%AB', 0],
    ],
    bad: ['disabled=perhaps', 'sort=age'],
  },
  {
    id: 'listQuotas',
    path: '/v1/quotas',
    sorts: ['name', 'createdAt'],
    q: ['MÜNCHEN', 2],
    filters: [],
    bad: ['sort=rateUnits'],
  },
  {
    id: 'listPresets',
    path: '/v1/presets',
    sorts: ['name', 'createdAt'],
    q: ['MÜNCHEN', 2],
    filters: [],
    bad: ['sort=faulty', 'faulty=true'],
  },
  {
    id: 'listSubAccounts',
    path: '/v1/sub-accounts',
    sorts: ['name', 'createdAt'],
    q: ['MÜNCHEN', 2],
    filters: [
      ['state=disabled', 1],
      ['state=enabled&q=munchen', 1],
    ],
    bad: ['state=asleep', 'sort=parent'],
  },
  {
    id: 'listSenders',
    path: '/v1/senders',
    sorts: ['createdAt', 'address', 'type', 'registration'],
    q: ['HARB', 1],
    filters: [
      ['type=alphanumeric', 1],
      ['registration=lapsed', 1],
      ['registration=lapsed&registration=pending', 2],
      ['disabled=true', 0],
    ],
    bad: ['type=pigeon', 'registration=maybe', 'carrierAccountId=1', 'sort=pace'],
  },
  {
    id: 'listKeys',
    path: '/v1/keys',
    sorts: ['createdAt', 'name', 'expiresAt', 'lastUsedAt'],
    q: ['reports', 2],
    filters: [
      ['state=revoked', 1],
      ['state=revoked&state=expired', 1],
      ['scope=reports&q=reports', 1],
      ['scope=reports&scope=read&q=reports', 2],
    ],
    bad: ['state=lost', 'scope=everything', 'sort=prefix'],
  },
  {
    id: 'listOperatorKeys',
    path: '/v1/operator-keys',
    by: 'operator',
    sorts: ['createdAt', 'name', 'expiresAt', 'lastUsedAt'],
    q: ['second', 1],
    filters: [['state=active', 3]],
    bad: ['state=lost'],
  },
  {
    id: 'listImports',
    path: '/v1/imports',
    sorts: ['createdAt', 'status', 'rowsRead', 'rowsRefused'],
    filters: [
      ['status=waiting', 3],
      ['status=running&status=failed', 0],
      ['createdTo=2020-01-01T00:00:00Z', 0],
    ],
    bad: ['status=lazy', 'listId=12', 'createdFrom=yesterday', 'sort=bytes'],
  },
  {
    id: 'listMedia',
    path: '/v1/media',
    sorts: ['createdAt', 'bytes'],
    filters: [
      ['contentType=image/png', 2],
      ['contentType=image/png&contentType=image/gif', 2],
      ['contentType=image/gif', 0],
    ],
    bad: ['contentType=png', 'sort=name'],
  },
  {
    id: 'listAccounts',
    path: '/v1/accounts',
    by: 'operator',
    sorts: ['createdAt', 'name'],
    q: ['bäckerei', 1],
    filters: [
      ['defaultCountry=DE', 1],
      ['defaultCountry=DE&defaultCountry=FR', 2],
    ],
    bad: ['defaultCountry=de', 'sort=zone'],
  },
  {
    id: 'listCarrierAccounts',
    path: '/v1/carrier-accounts',
    by: 'operator',
    sorts: ['createdAt', 'name'],
    q: ['zürich', 1],
    filters: [],
    bad: ['sort=authId'],
  },
  {
    id: 'listRefusedPhrases',
    path: '/v1/refused-phrases',
    by: 'operator',
    sorts: ['phrase', 'effectiveFrom', 'createdAt'],
    q: ['DÉJÀ', 1],
    filters: [
      ['effectiveOn=2026-06-01&q=deja', 1],
      ['effectiveOn=2025-12-31&q=deja', 0],
      ['effectiveOn=2027-01-01&q=deja', 0],
    ],
    bad: ['effectiveOn=2026-02-30', 'sort=reason'],
  },
];
/** Lists in pages whose own tests hold what is held here. */
const ELSEWHERE = [
  'listAlerts',
  'listCallbackRefusals',
  'listHolds',
  'listPresetAccounts',
  'listCampaignAccounts',
  'listReviewAccounts',
];

let world: ApiWorld;

beforeAll(async () => {
  world = await openApiWorld();
  const { call } = world.mine;
  for (const body of [
    { name: "Soldes d'été", purpose: 'marketing' },
    { name: 'ETE 2027', purpose: 'service' },
    { name: 'Winter' },
    { name: '50% off_now' },
    {},
  ]) {
    await create(call, '/v1/campaigns', body);
  }
  for (const name of ['Café regulars', 'CAFE newcomers', 'Tea']) await create(call, '/v1/lists', { name });
  const zoe = await create(call, '/v1/people', { name: 'Zoë', address: 'z@example.com' });
  await create(call, '/v1/people', { name: 'Ann', address: 'zoe@example.com' });
  await call('PATCH', `/v1/people/${zoe}`, { body: { disabled: true } });
  await create(call, '/v1/people', { name: 'Zoë', address: 'other@example.com' });
  await call('PATCH', `/v1/people/${zoe}`, { body: { name: 'Gone' } });
  await create(call, '/v1/senders', { address: 'Harbour', type: 'alphanumeric', registration: 'lapsed' });
  await create(call, '/v1/senders', { address: '54321', type: 'short_code' });
  for (const name of ['München', 'Brand munchen', 'Other']) await create(call, '/v1/quotas', { name });
  for (const name of ['München', 'Bakeries of munchen', 'Other']) await world.mine.seedPreset(name);
  const branches: string[] = [];
  for (const name of ['Salon München', 'Munchen Ost', 'Reno']) {
    branches.push((await createPair(world.mine, name)).accountId);
  }
  await call('POST', `/v1/accounts/${branches[0]}/disable`, { body: { reason: 'It has closed.' } });
  await create(call, '/v1/keys', { name: 'Reports job', scopes: ['reports'] });
  const revoked = await create(call, '/v1/keys', { name: 'Old reports job', scopes: ['read'] });
  await call('DELETE', `/v1/keys/${revoked}`);
  for (const _ of [1, 2, 3]) await create(call, '/v1/imports', { listIds: [world.mine.listId] });
  for (const extra of [0, 1]) {
    const body = Buffer.concat([PIXEL, Buffer.alloc(extra)]);
    await call('POST', '/v1/media', { body, headers: { 'content-type': 'image/png' } });
  }
  const { operator } = world;
  for (const name of ['Second', 'Third']) await create(operator, '/v1/operator-keys', { name });
  const account = { timeZone: 'Europe/Paris', senderName: 'S' };
  await create(operator, '/v1/accounts', { ...account, name: 'Backerei Nord', defaultCountry: 'DE' });
  await create(operator, '/v1/accounts', { ...account, name: 'Boulangerie', defaultCountry: 'FR' });
  await create(operator, '/v1/carrier-accounts', { name: 'Plivo Zurich', authId: 'MA1', authToken: 'x' });
  await create(operator, '/v1/refused-phrases', {
    phrase: 'sure win',
    reason: 'It promises.',
    effectiveFrom: '2026-03-01',
  });
  await create(operator, '/v1/refused-phrases', {
    phrase: 'deja gagné',
    reason: 'It promises.',
    effectiveFrom: '2026-01-01',
    effectiveTo: '2027-01-01',
  });
});
afterAll(() => world.close());

interface PageBody {
  readonly items: readonly { readonly id: string }[];
  readonly total: number;
  readonly pages: number;
}

async function page(list: PagedList, query: string): Promise<PageBody> {
  const { status, body } = await callerOf(list)('GET', `${list.path}?${query}`);
  expect([query, status]).toEqual([query, 200]);
  return body as unknown as PageBody;
}

function callerOf(list: PagedList): Caller {
  return list.by === 'operator' ? world.operator : world.mine.call;
}

const idsOf = ({ items }: PageBody): string[] => items.map((item) => item.id);

test('every list in pages is held here, or in its own tests', () => {
  const paged = routesOf(world.document)
    .filter(({ operation }) => {
      const answer = operation.responses?.['200']?.content?.['application/json']?.schema;
      return JSON.stringify(answer ?? null).includes('"total":{"type":"integer"}');
    })
    .map(({ operation }) => operation.operationId ?? '')
    .filter((id) => id.startsWith('list'));
  expect(new Set(paged)).toEqual(new Set([...LISTS.map((list) => list.id), ...ELSEWHERE]));
});

describe.each(LISTS)('$path', (list) => {
  test('shows each item on one page, in every order, and what the total is', async () => {
    const all = new Set(idsOf(await page(list, 'pageSize=200')));
    expect(all.size).toBeGreaterThan(1);
    for (const sort of list.sorts) {
      const shown: Record<string, string[]> = {};
      for (const order of ['asc', 'desc']) {
        const parts: string[] = [];
        for (let number = 1; number <= all.size; number += 1) {
          const part = await page(list, `sort=${sort}&order=${order}&pageSize=1&page=${number}`);
          expect([part.total, part.pages, part.items.length]).toEqual([all.size, all.size, 1]);
          parts.push(...idsOf(part));
        }
        expect([sort, order, new Set(parts)]).toEqual([sort, order, all]);
        expect(idsOf(await page(list, `sort=${sort}&order=${order}&pageSize=200`))).toEqual(parts);
        shown[order] = parts;
      }
      expect([sort, shown['asc']]).not.toEqual([sort, shown['desc']]);
    }
  });

  test('beyond its end is empty and still tells the total', async () => {
    const { total } = await page(list, '');
    expect(await page(list, 'page=99999&pageSize=200')).toMatchObject({ items: [], total, pages: 1 });
  });

  test('is narrowed by each filter to what fits', async () => {
    const queries = [
      ...list.filters,
      ...(list.q === undefined ? [] : [[`q=${encodeURIComponent(list.q[0])}`, list.q[1]] as const]),
      ...(list.q === undefined ? [] : [['q=%25', list.id === 'listCampaigns' ? 1 : 0] as const]),
      ...(list.q === undefined ? [] : [['q=nobody%20has%20this', 0] as const]),
    ];
    for (const [query, count] of queries) {
      const { items, total } = await page(list, `${query}&pageSize=200`);
      expect([query, items.length, total]).toEqual([query, count, count]);
    }
  });

  test('refuses filters and orders that it does not know, naming each', async () => {
    for (const query of [...list.bad, 'colour=red', 'page=0', 'pageSize=201', 'page=x']) {
      const reply = await callerOf(list)('GET', `${list.path}?${query}`);
      expect([query, reply.status, reply.body['code']]).toEqual([query, 400, 'invalid-field']);
      const [error] = reply.body['errors'] as readonly { readonly pointer: string }[];
      expect(error?.pointer.startsWith(`/query/${query.split('=')[0]}`)).toBe(true);
    }
  });
});

test('contacts are found by a part of a name, by country, zone and list, several at once', async () => {
  const { call, listId } = world.mine;
  const make = (number: string, fields: Readonly<Record<string, unknown>>) =>
    create(call, '/v1/contacts', { number, ...fields });
  const jose = await make('+12125552101', { firstName: 'José', lastName: 'Núñez', timeZone: 'America/Lima' });
  const joseph = await make('+447400123456', { firstName: 'JOSEPH', timeZone: 'Europe/London' });
  const ann = await make('+12125552102', { firstName: 'Ann', lastName: 'Jos' });
  const other = await create(call, '/v1/lists', { name: 'Other people' });
  await call('POST', `/v1/lists/${listId}/members`, { body: { contactIds: [jose, ann] } });
  await call('POST', `/v1/lists/${other}/members`, { body: { contactIds: [joseph, ann] } });
  const found = async (query: string): Promise<string[]> => {
    const ids: string[] = [];
    let cursor = '';
    do {
      const { status, body } = await call('GET', `/v1/contacts?pageSize=1&${query}${cursor}`);
      expect([query, status]).toEqual([query, 200]);
      ids.push(...(body['items'] as readonly { readonly id: string }[]).map((contact) => contact.id));
      cursor = typeof body['nextCursor'] === 'string' ? `&cursor=${body['nextCursor']}` : '';
    } while (cursor !== '');
    return ids;
  };
  expect(await found('q=jose')).toEqual([jose, joseph]);
  expect(await found('q=e%20nune')).toEqual([jose]);
  expect(await found('q=_')).toEqual([]);
  expect(await found('country=GB')).toEqual([joseph]);
  expect(await found('country=GB&country=US&q=jos')).toEqual([jose, joseph, ann]);
  expect(await found('timeZone=America/Lima')).toEqual([jose]);
  expect(await found(`listId=${listId}&listId=${other}`)).toEqual([jose, joseph, ann]);
  expect(await found(`listId=${other}&q=ann`)).toEqual([ann]);
});

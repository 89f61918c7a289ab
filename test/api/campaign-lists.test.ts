import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CampaignStatus } from '../../domain/campaign-status.ts';
import { type ApiWorld, openApiWorld } from './api-world.ts';
import { create, createDraft } from './seeded-things.ts';

interface Known {
  readonly name: string | null;
  readonly status: CampaignStatus;
  readonly startAt: string | null;
  readonly createdAt: string;
  readonly by: 'Ann' | 'Zoe';
  readonly sender: 'first' | 'second';
  readonly lists: readonly string[];
  readonly messageCount: number;
  readonly archived?: true;
}
type Line = Readonly<Record<string, unknown>>;

/** No two of a kind sort alike by accident: what ties is told apart by the id, which grows with this order. */
const KNOWN: readonly Known[] = [
  known('Spring sale', 'finished', '2027-03-01T15:00:00Z', 5, {
    lists: ['Walkers', 'Bakers'],
    messageCount: 3,
  }),
  known('autumn SALE', 'scheduled', '2027-09-01T15:00:00Z', 3, { by: 'Zoe', messageCount: 2 }),
  known('100% off_today', 'draft', null, 4, { sender: 'second', lists: ['Anglers'] }),
  known('100 percent', 'draft', null, 1, { by: 'Zoe', messageCount: 0 }),
  known('Winter', 'paused', '2027-03-01T15:00:01Z', 2, { lists: [], sender: 'second' }),
  known(null, 'draft', null, 6, { lists: ['Walkers'] }),
  known('Old spring', 'finished', '2026-03-01T15:00:00Z', 7, { archived: true }),
  known('Older spring', 'aborted', null, 8, { archived: true, by: 'Zoe', sender: 'second' }),
];

function known(
  name: string | null,
  status: CampaignStatus,
  startAt: string | null,
  day: number,
  more: Partial<Known>,
): Known {
  const createdAt = `2026-12-0${day}T12:00:00.000Z`;
  return {
    name,
    status,
    startAt,
    createdAt,
    by: 'Ann',
    sender: 'first',
    lists: ['Bakers'],
    messageCount: 1,
    ...more,
  };
}

let world: ApiWorld;
let senders: Readonly<Record<'first' | 'second', string>>;

beforeAll(async () => {
  world = await openApiWorld();
  const { call } = world.mine;
  const people = {
    Ann: await create(call, '/v1/people', { name: 'Ann', address: 'ann@example.com' }),
    Zoe: await create(call, '/v1/people', { name: 'Zoe', address: 'zoe@example.com' }),
  };
  senders = {
    first: world.mine.senderId,
    second: await create(call, '/v1/senders', { address: '54321', type: 'short_code' }),
  };
  const lists = new Map<string, string>();
  for (const name of ['Walkers', 'Bakers', 'Anglers']) {
    lists.set(name, await create(call, '/v1/lists', { name }));
  }
  for (const one of KNOWN) {
    const made = await call('POST', '/v1/campaigns', {
      headers: { 'carillon-person': people[one.by] },
      body: {
        name: one.name,
        senderId: senders[one.sender],
        listIds: one.lists.map((name) => lists.get(name) ?? name),
      },
    });
    const id = String(made.body['id']);
    for (let count = 0; count < one.messageCount; count += 1) {
      await call('POST', `/v1/campaigns/${id}/messages`, { body: { text: 'Hello' } });
    }
    // Statuses and instants that only weeks of sending would bring.
    await world.owner.query(
      `update campaigns set status = $2, first_due_at = $3, created_at = $4,
         archived_at = case when $5 then now() end where id = $1`,
      [id, one.status, one.startAt, one.createdAt, one.archived === true],
    );
  }
  await createDraft(world.theirs, 'Spring of another account');
});
afterAll(() => world.close());

async function list(
  query: string,
): Promise<{ readonly names: unknown[]; readonly items: Line[]; readonly page: Line }> {
  const { status, body } = await world.mine.call('GET', `/v1/campaigns${query}`);
  expect(status).toBe(200);
  const items = body['items'] as Line[];
  return { items, names: items.map((item) => item['name']), page: body };
}

const shown = KNOWN.filter((one) => one.archived !== true);
const namesOf = (some: readonly Known[]) => some.map((one) => one.name);

describe('the list of campaigns', () => {
  test('hides archived ones unless they are asked for, and then shows those alone', async () => {
    expect(new Set((await list('')).names)).toEqual(new Set(namesOf(shown)));
    const archived = await list('?status=archived');
    expect(new Set(archived.names)).toEqual(new Set(['Old spring', 'Older spring']));
    expect(archived.items.map((item) => item['archived'])).toEqual([true, true]);
    expect((await list('?status=archived&status=finished')).names).toEqual(['Old spring']);
  });

  test('shows of each its status, start, maker, messages and lists', async () => {
    const { items } = await list('?q=spring');
    expect(items).toEqual([
      expect.objectContaining({
        name: 'Spring sale',
        status: 'finished',
        archived: false,
        senderId: senders.first,
        createdByName: 'Ann',
        createdAt: '2026-12-05T12:00:00.000Z',
        messageCount: 3,
      }),
    ]);
    expect(Date.parse(String(items[0]?.['startAt']))).toBe(Date.parse('2027-03-01T15:00:00Z'));
    expect(items[0]?.['lists']).toMatchObject([{ name: 'Bakers' }, { name: 'Walkers' }]);
    const [untitled] = (await list('?sort=createdAt')).items;
    expect(untitled).toMatchObject({ name: null, displayName: 'Untitled campaign' });
  });

  test('names the key that made one by itself, as reading that one does', async () => {
    const { campaign: id } = await createDraft(world.mine, 'Made by a key');
    const [line] = (await list('?q=made%20by%20a%20key')).items;
    const { body } = await world.mine.call('GET', `/v1/campaigns/${id}`);
    expect(line).toMatchObject({ createdBy: body['createdBy'], createdByName: body['createdByName'] });
    expect(body['createdByName']).toBe('Test');
    await world.mine.call('DELETE', `/v1/campaigns/${id}`);
  });

  test.each<[string, (one: Known) => boolean]>([
    ['q=SALE', (one) => /sale/i.test(one.name ?? '')],
    ['q=100%25', (one) => one.name === '100% off_today'],
    ['q=f_t', (one) => one.name === '100% off_today'],
    ['q=%5C', () => false],
    ['q=nothing', () => false],
    ['status=draft', (one) => one.status === 'draft'],
    ['status=draft&status=paused', (one) => one.status === 'draft' || one.status === 'paused'],
    ['status=sending', () => false],
    ['senderId=second', (one) => one.sender === 'second'],
    ['startFrom=2027-03-01T15:00:00Z', (one) => (one.startAt ?? '') >= '2027-03-01T15:00:00Z'],
    ['startFrom=2027-03-01T10:00:00.001-05:00', (one) => (one.startAt ?? '') > '2027-03-01T15:00:00Z'],
    ['startTo=2027-03-01T15:00:01Z', (one) => one.name === 'Spring sale'],
    ['startFrom=2027-03-01T15:00:00Z&startTo=2027-03-01T15:00:00Z', () => false],
    [
      'q=sale&status=scheduled&senderId=first&startFrom=2027-06-01T00:00:00Z',
      (one) => one.name === 'autumn SALE',
    ],
    ['q=sale&senderId=second', () => false],
  ])('filtered by %s shows what fits, all of it and nothing else', async (query, fits) => {
    const filled = query.replace(
      /senderId=(first|second)/,
      (_all, name: 'first' | 'second') => `senderId=${senders[name]}`,
    );
    const { names, page } = await list(`?${filled.replaceAll('+', '%2B')}`);
    const wanted = shown.filter(fits);
    expect(new Set(names)).toEqual(new Set(namesOf(wanted)));
    expect([names.length, page['total']]).toEqual([wanted.length, wanted.length]);
  });

  const SORTS: Readonly<Record<string, (one: Known) => string | number | null>> = {
    status: (one) => one.status,
    name: (one) => one.name?.toLowerCase() ?? null,
    startAt: (one) => one.startAt,
    createdBy: (one) => one.by,
    createdAt: (one) => one.createdAt,
    messageCount: (one) => one.messageCount,
    listNames: (one) =>
      one.lists.map((name) => name.toLowerCase()).toSorted((a, b) => a.localeCompare(b))[0] ?? null,
  };
  const cases = Object.keys(SORTS).flatMap((sort) => [[sort, 'asc'] as const, [sort, 'desc'] as const]);

  test.each(cases)('sorts by %s %s, what has none last, and ties by age', async (sort, order) => {
    const valueOf = SORTS[sort] ?? (() => null);
    const sign = order === 'asc' ? 1 : -1;
    const wanted = shown.toSorted((one, two) => {
      const [a, b] = [valueOf(one), valueOf(two)];
      if (a === b) return sign * (KNOWN.indexOf(one) - KNOWN.indexOf(two));
      if (a === null || b === null) return a === null ? 1 : -1;
      return sign * (a < b ? -1 : 1);
    });
    expect((await list(`?sort=${sort}&order=${order}`)).names).toEqual(namesOf(wanted));
  });

  test.each(cases)(
    'sorted by %s %s shows each campaign on one page, and what the total is',
    async (sort, order) => {
      const whole = await list(`?sort=${sort}&order=${order}`);
      const pages = [];
      for (const page of [1, 2, 3]) {
        const part = await list(`?sort=${sort}&order=${order}&pageSize=2&page=${page}`);
        expect(part.page).toMatchObject({ page, pageSize: 2, total: 6, pages: 3 });
        pages.push(...part.names);
      }
      expect(pages).toEqual(whole.names);
    },
  );

  test('sorts the newest first unless told, and a page beyond the end is empty', async () => {
    const newest = shown.toSorted((one, two) => (one.createdAt < two.createdAt ? 1 : -1));
    expect((await list('')).names).toEqual(namesOf(newest));
    const beyond = await list('?page=100000&pageSize=200');
    expect(beyond.page).toMatchObject({ items: [], page: 100_000, total: 6, pages: 1 });
  });

  test('leaves out what is deleted', async () => {
    const { campaign } = await createDraft(world.mine, 'Deleted soon');
    expect((await list('?q=deleted')).names).toEqual(['Deleted soon']);
    await world.mine.call('DELETE', `/v1/campaigns/${campaign}`);
    expect((await list('?q=deleted')).page).toMatchObject({ items: [], total: 0 });
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ApiWorld, openApiWorld, type Tenant } from '../api/api-world.ts';
import { create, createListOf } from '../api/seeded-things.ts';
import {
  addPairs,
  answerOf,
  openBranch,
  openParent,
  openPreset,
  pairOf,
  setCentralSend,
} from './franchise.ts';

let world: ApiWorld;
let parent: Tenant;
let reno: Tenant;
let tahoe: Tenant;

beforeAll(async () => {
  world = await openApiWorld();
});
beforeEach(async () => {
  parent = await openParent(world);
  reno = await openBranch(world, parent, 'Reno');
  tahoe = await openBranch(world, parent, 'Tahoe');
});
afterAll(() => world.close());

const pointersOf = (body: Readonly<Record<string, unknown>>): string[] =>
  ((body['errors'] ?? []) as readonly { readonly pointer: string }[]).map((error) => error.pointer);

/** An id that has the form of one and belongs to nobody. */
const NOBODYS = '01m86mtaj9fzxvj3x8dcj53g4n';

describe('the name of a preset', () => {
  test('is unique in its account without regard to case or blanks around it', async () => {
    const made = await parent.call('POST', '/v1/presets', { body: { name: '  All bakeries ' } });
    expect(made).toMatchObject({
      status: 201,
      body: { name: 'All bakeries', accounts: 0, lists: 0, faulty: 0, version: 1 },
    });
    const taken = await parent.call('POST', '/v1/presets', { body: { name: 'ALL BAKERIES' } });
    expect([answerOf(taken), pointersOf(taken.body)]).toEqual(['409 name-taken', ['/name']]);
    const other = await openPreset(parent, 'Northern bakeries');
    const renamed = await parent.call('PATCH', other, { body: { name: 'all bakeries' } });
    expect(answerOf(renamed)).toBe('409 name-taken');
    const own = await parent.call('PATCH', other, { body: { name: 'NORTHERN bakeries' } });
    expect(own).toMatchObject({ status: 200, body: { name: 'NORTHERN bakeries', version: 2 } });
    const elsewhere = await openParent(world);
    expect(answerOf(await elsewhere.call('POST', '/v1/presets', { body: { name: 'All bakeries' } }))).toBe(
      '201',
    );
  });

  test('is taken by one alone of those that are created at once', async () => {
    const names = ['All bakeries', 'ALL bakeries', ' all bakeries ', 'all BAKERIES'];
    const replies = await Promise.all(
      names.map((name) => parent.call('POST', '/v1/presets', { body: { name } })),
    );
    const taken = '409 name-taken';
    expect(replies.map(answerOf).toSorted()).toEqual(['201', taken, taken, taken]);
    expect((await parent.call('GET', '/v1/presets')).body['total']).toBe(1);
  });

  test('is free again once the preset is deleted, which is then gone with its pairs', async () => {
    const path = await openPreset(parent, 'All bakeries', [pairOf(reno)]);
    expect(answerOf(await parent.call('DELETE', path))).toBe('204');
    for (const gone of [path, `${path}/accounts`]) {
      expect(answerOf(await parent.call('GET', gone))).toBe('404 not-found');
    }
    expect(answerOf(await addPairs(parent, path, [pairOf(reno)]))).toBe('404 not-found');
    expect((await parent.call('GET', '/v1/presets')).body['total']).toBe(0);
    expect(await openPreset(parent, 'ALL bakeries')).not.toBe(path);
    const { rows } = await world.owner.query('select from preset_pairs where account_id = $1', [
      parent.accountId,
    ]);
    expect(rows).toHaveLength(0);
  });

  test('stands in the log with who gave it, and so does every other change', async () => {
    const path = await openPreset(parent, 'All bakeries', [pairOf(reno), pairOf(tahoe)]);
    await parent.call('PATCH', path, { body: { name: 'Bakeries' } });
    await parent.call('POST', `${path}/pairs/remove`, { body: { pairs: [pairOf(reno)] } });
    await parent.call('DELETE', path);
    const { body } = await parent.call('GET', '/v1/log?subjectKind=preset&order=asc');
    expect(body['items']).toMatchObject([
      { what: 'create', to: { name: 'All bakeries' } },
      { what: 'add_pairs', detail: { added: 2, known: 0 } },
      { what: 'update', from: { name: 'All bakeries' }, to: { name: 'Bakeries' } },
      { what: 'remove_pairs', detail: { removed: 1 } },
      { what: 'delete', from: { name: 'Bakeries' } },
    ]);
  });
});

describe('the pairs of a preset', () => {
  test('may name several lists of an account, each once, and are counted', async () => {
    const guests = await createListOf(parent, reno.accountId, 'Guests');
    const pairs = [pairOf(reno), { accountId: reno.accountId, listId: guests }, pairOf(tahoe), pairOf(tahoe)];
    const path = await openPreset(parent, 'All bakeries');
    const added = await addPairs(parent, path, pairs);
    expect(added).toMatchObject({ status: 200, body: { added: 3, known: 1, version: 2 } });
    const again = await addPairs(parent, path, pairs);
    expect(again).toMatchObject({ status: 200, body: { added: 0, known: 4, version: 2 } });
    const counts = { accounts: 2, lists: 3, faulty: 0, version: 2 };
    expect((await parent.call('GET', path)).body).toMatchObject(counts);
    expect((await parent.call('GET', '/v1/presets')).body['items']).toMatchObject([counts]);
    expect((await parent.call('GET', `${path}/accounts`)).body).toMatchObject({
      total: 2,
      items: [
        {
          accountId: reno.accountId,
          name: 'Reno',
          timeZone: 'America/New_York',
          lists: [
            { id: guests, name: 'Guests' },
            { id: reno.listId, name: 'Regulars' },
          ],
          faults: [],
        },
        { accountId: tahoe.accountId, lists: [{ id: tahoe.listId, name: 'Regulars' }], faults: [] },
      ],
    });
  });

  test('that name foreign accounts or lists are refused with a pointer each, and none is added', async () => {
    const path = await openPreset(parent, 'All bakeries');
    const before = await world.snapshot();
    const { accountId, listId } = world.theirs;
    const refused = await addPairs(parent, path, [
      pairOf(reno),
      { accountId, listId },
      { accountId: reno.accountId, listId },
      { accountId: reno.accountId, listId: tahoe.listId },
      pairOf(parent),
      { accountId: `acc_${NOBODYS}`, listId: `lst_${NOBODYS}` },
      pairOf(tahoe),
    ]);
    expect(answerOf(refused)).toBe('422 unknown-reference');
    expect(pointersOf(refused.body)).toEqual([
      '/pairs/1/accountId',
      '/pairs/2/listId',
      '/pairs/3/listId',
      '/pairs/4/accountId',
      '/pairs/5/accountId',
    ]);
    // Whether an account exists that is another's is told by nothing.
    const errors = refused.body['errors'] as readonly object[];
    expect({ ...errors[4], pointer: '' }).toEqual({ ...errors[0], pointer: '' });
    expect(await world.snapshot()).toEqual(before);
  });

  test('are taken out all or not at all', async () => {
    const path = await openPreset(parent, 'All bakeries', [pairOf(reno), pairOf(tahoe)]);
    const remove = (pairs: readonly unknown[]) =>
      parent.call('POST', `${path}/pairs/remove`, { body: { pairs } });
    const before = await world.snapshot();
    const refused = await remove([pairOf(reno), { ...pairOf(reno), listId: tahoe.listId }]);
    expect([answerOf(refused), pointersOf(refused.body)]).toEqual(['422 unknown-reference', ['/pairs/1']]);
    expect(await world.snapshot()).toEqual(before);
    const removed = await remove([pairOf(reno), pairOf(reno)]);
    expect(removed).toMatchObject({ status: 200, body: { removed: 1, version: 3 } });
    expect((await parent.call('GET', path)).body).toMatchObject({ accounts: 1, lists: 1, version: 3 });
  });

  test('of an account that has left can still be taken out', async () => {
    const path = await openPreset(parent, 'All bakeries', [pairOf(reno)]);
    await reno.call('POST', '/v1/account/leave-parent');
    expect(answerOf(await addPairs(parent, path, [pairOf(reno)]))).toBe('422 unknown-reference');
    const body = { pairs: [pairOf(reno)] };
    expect(answerOf(await parent.call('POST', `${path}/pairs/remove`, { body }))).toBe('200');
    expect((await parent.call('GET', path)).body).toMatchObject({ accounts: 0, lists: 0, faulty: 0 });
  });

  test('are changed by nobody who has not seen those that are there', async () => {
    const path = await openPreset(parent, 'All bakeries');
    const seen = { 'if-match': (await parent.call('GET', path)).headers.get('etag') ?? 'none' };
    const body = { pairs: [pairOf(reno)] };
    const first = await parent.call('POST', `${path}/pairs`, { body, headers: seen });
    expect(first.body).toMatchObject({ added: 1, version: 2 });
    for (const [method, at] of [
      ['POST', `${path}/pairs`],
      ['POST', `${path}/pairs/remove`],
    ] as const) {
      expect(answerOf(await parent.call(method, at, { body, headers: seen }))).toBe('412 version-mismatch');
    }
    const fresh = { 'if-match': `"${String(first.body['version'])}"` };
    expect(answerOf(await parent.call('POST', `${path}/pairs/remove`, { body, headers: fresh }))).toBe('200');
  });

  test('are added once for a repeated request', async () => {
    const path = await openPreset(parent, 'All bakeries');
    const options = { body: { pairs: [pairOf(reno)] }, headers: { 'idempotency-key': 'once' } };
    const first = await parent.call('POST', `${path}/pairs`, options);
    expect((await parent.call('POST', `${path}/pairs`, options)).body).toEqual(first.body);
    expect(first.body).toEqual({ added: 1, known: 0, version: 2 });
  });
});

describe('without Central Send', () => {
  test('presets are read, and nothing of them is written', async () => {
    const path = await openPreset(parent, 'All bakeries', [pairOf(reno)]);
    await setCentralSend(world, parent, false);
    const before = await world.snapshot();
    const pairs = { pairs: [pairOf(reno)] };
    const writes = [
      ['POST', '/v1/presets', { name: 'New' }],
      ['PATCH', path, { name: 'New' }],
      ['DELETE', path, undefined],
      ['POST', `${path}/pairs`, pairs],
      ['POST', `${path}/pairs/remove`, pairs],
      ['PUT', `${path}/pairs.csv`, `account,list\n${reno.accountId},${reno.listId}\n`],
    ] as const;
    for (const [method, at, body] of writes) {
      const reply = await parent.call(method, at, { body });
      expect([method, at, answerOf(reply)]).toEqual([method, at, '403 central-send-disabled']);
      expect(String(reply.body['detail'])).toContain('operator');
    }
    expect(await world.snapshot()).toEqual(before);
    for (const at of ['/v1/presets', path, `${path}/accounts`]) {
      expect(answerOf(await parent.call('GET', at))).toBe('200');
    }
  });
});

describe('a preset that would be too large', () => {
  /** Pairs of accounts and lists that need not exist: as many accounts, with as many lists each. */
  async function fill(path: string, accounts: number, lists: number): Promise<void> {
    await world.owner.query(
      `insert into preset_pairs (account_id, preset_id, sub_account_id, list_id)
       select $1, $2, 'acc_' || a, 'lst_' || l from generate_series(1, $3::int) a, generate_series(1, $4::int) l`,
      [parent.accountId, path.split('/').at(-1), accounts, lists],
    );
  }

  test.each([
    ['sub-accounts', 10_000, 1, '10000 sub-accounts'],
    ['pairs', 500, 100, '50000 pairs'],
  ])('by its %s is refused as a whole, with what to do', async (_what, accounts, lists, named) => {
    const path = await openPreset(parent, 'All bakeries');
    await fill(path, accounts, lists);
    const before = await world.snapshot();
    const file = `account,list\n${reno.accountId},${reno.listId}\n`;
    for (const reply of [
      await addPairs(parent, path, [pairOf(reno)]),
      await parent.call('PUT', `${path}/pairs.csv`, { body: file }),
    ]) {
      expect(answerOf(reply)).toBe('422 not-acceptable-value');
      expect(String(reply.body['detail'])).toContain(named);
      expect(String(reply.body['detail'])).toContain('Divide them');
    }
    expect(await world.snapshot()).toEqual(before);
  });

  test('by the lists of one sub-account is refused: a campaign has no more', async () => {
    const path = await openPreset(parent, 'All bakeries');
    await world.owner.query(
      `insert into preset_pairs (account_id, preset_id, sub_account_id, list_id)
       select $1, $2, $3, 'lst_' || l from generate_series(1, 100) l`,
      [parent.accountId, path.split('/').at(-1), reno.accountId],
    );
    const reply = await addPairs(parent, path, [pairOf(reno)]);
    expect(answerOf(reply)).toBe('422 not-acceptable-value');
    expect(String(reply.body['detail'])).toContain('100 lists of one sub-account');
  });

  test('in one call is refused before anything is looked up', async () => {
    const path = await openPreset(parent, 'All bakeries');
    const pairs = Array.from({ length: 1_001 }, () => pairOf(reno));
    const reply = await addPairs(parent, path, pairs);
    expect([answerOf(reply), pointersOf(reply.body)]).toEqual(['400 invalid-field', ['/pairs']]);
  });

  test('is none while a thousand presets are as many as an account has', async () => {
    await world.owner.query(
      `insert into presets (id, account_id, name, deleted_at)
       select 'pre_' || $1 || n, $1, 'Preset ' || n, case when n > 999 then now() end from generate_series(1, 1100) n`,
      [parent.accountId],
    );
    await create(parent.call, '/v1/presets', { name: 'The last' });
    const reply = await parent.call('POST', '/v1/presets', { body: { name: 'One more' } });
    expect(answerOf(reply)).toBe('422 not-acceptable-value');
    expect(String(reply.body['detail'])).toContain('Delete one');
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../dev/until.ts';
import { lockWaiters } from '../support/lock-waiters.ts';
import { type ApiWorld, openApiWorld, type Reply, routesOf, type Tenant } from './api-world.ts';
import { createRejectedPart } from './launched-central.ts';
import { ROUTE_CASES } from './route-table.ts';
import { createDraft, createPair, createThings, PIXEL, type Things } from './seeded-things.ts';

let world: ApiWorld;
let things: Things;
/** Of a preset: one that is still to be added, and one that is in it. */
let pair: Awaited<ReturnType<typeof createPair>>;
let added: typeof pair;
/** A sub-account with a key of its own. */
let branch: Tenant;
/** Of a part that was rejected. */
let retryPath: string;

beforeAll(async () => {
  world = await openApiWorld();
  things = await createThings(world.mine);
  // The hold on the sender is there to be lifted; a test of a message could not be ordered meanwhile.
  await world.owner.query('update gates set holds = 0 where scope_id = $1', [things.sender]);
  await world.operator('PUT', `/v1/accounts/${things.account}/central-send`, { body: { enabled: true } });
  pair = await createPair(world.mine);
  added = await createPair(world.mine);
  await world.mine.call('POST', `/v1/presets/${things.preset}/pairs`, { body: { pairs: [added] } });
  branch = await world.openTenant();
  await world.operator('PUT', `/v1/accounts/${branch.accountId}/parent`, {
    body: { parentId: things.account },
  });
  retryPath = await createRejectedPart(world, world.mine, await createPair(world.mine, 'Reno East'));
});
afterAll(() => world.close());

/** POST routes that keep no answers: they create nothing, or what they answer must not be kept. */
const KEEPS_NOTHING = [
  'findContact',
  'previewMessage',
  'createKey',
  'rotateKey',
  'createOperatorKey',
  'rotateOperatorKey',
  'findRecipient',
  'findSuppressions',
  'listSuppressionHistory',
  'receiveStatus',
  'receiveInbound',
];
/** What other actions share with these is one function. */
const ACTIONS =
  /^((start|withdraw|resume|stop|restart|abort|reschedule|suspend|overrule|archive|unarchive)Campaign|orderRound)$/;

/** What each route is sent: path, body and another body. */
const CREATING: Readonly<Record<string, (own: Things) => readonly [string, unknown, unknown]>> = {
  createAccount: () => ['/v1/accounts', account('One'), account('Two')],
  createCarrierAccount: () => ['/v1/carrier-accounts', carrier('One'), carrier('Two')],
  addRefusedPhrase: () => ['/v1/refused-phrases', phrase('sure win'), phrase('easy money')],
  createPerson: () => ['/v1/people', { name: 'A', address: 'a@b.c' }, { name: 'B', address: 'a@b.c' }],
  createQuota: () => ['/v1/quotas', { name: 'One' }, { name: 'Two' }],
  createPreset: () => ['/v1/presets', { name: 'One' }, { name: 'Two' }],
  addPairs: (own) => [`/v1/presets/${own.preset}/pairs`, { pairs: [pair] }, { pairs: [pair, pair] }],
  removePairs: (own) => [
    `/v1/presets/${own.preset}/pairs/remove`,
    { pairs: [added] },
    { pairs: [added, added] },
  ],
  createSender: () => ['/v1/senders', sender('54321'), sender('54322')],
  uploadMedia: () => ['/v1/media', PIXEL, Buffer.concat([PIXEL, Buffer.alloc(1)])],
  createContact: () => ['/v1/contacts', { number: '+12125552011' }, { number: '+12125552012' }],
  createList: () => ['/v1/lists', { name: 'One' }, { name: 'Two' }],
  addListMembers: (own) => [
    `/v1/lists/${own.list}/members`,
    { contactIds: [own.contact] },
    { contactIds: ['con_zzzzzzzzzzzzz'] },
  ],
  createImport: (own) => ['/v1/imports', { listIds: [own.list] }, { listIds: [] }],
  addSuppression: () => [
    '/v1/suppressions',
    { number: '+12125552031', kind: 'manual' },
    { number: '+12125552032', kind: 'manual' },
  ],
  removeSuppression: (own) => [
    `/v1/suppressions/${own.suppression}/remove`,
    { reason: 'One' },
    { reason: 'Two' },
  ],
  createSuppressionImport: () => ['/v1/suppressions/imports', { kind: 'opt_out' }, {}],
  createCampaign: () => ['/v1/campaigns', { name: 'One' }, { name: 'Two' }],
  createSubAccount: () => ['/v1/sub-accounts', account('One'), account('Two')],
  disableAccount: () => [`/v1/accounts/${branch.accountId}/disable`, { reason: 'One' }, { reason: 'Two' }],
  enableAccount: () => [`/v1/accounts/${branch.accountId}/enable`, undefined, { other: true }],
  leaveParent: () => ['/v1/account/leave-parent', undefined, { other: true }],
  retryCampaignAccount: () => [retryPath, undefined, { overdue: [] }],
  addMessage: (own) => [`/v1/campaigns/${own.campaign}/messages`, { text: 'One' }, { text: 'Two' }],
  acknowledgeAlert: (own) => [`/v1/alerts/${own.alert}/acknowledge`, undefined, { other: true }],
  duplicateCampaign: (own) => [`/v1/campaigns/${own.campaign}/duplicate`, undefined, { kind: 'standard' }],
  addTestNumber: () => ['/v1/test-numbers', { number: '+12125552103' }, { number: '+12125552104' }],
  testMessage: (own) => [
    `/v1/campaigns/${own.campaign}/messages/${own.message}/test`,
    {},
    { confirmQuietHours: true },
  ],
  reviewCampaign: (own) => [
    `/v1/campaigns/${own.campaign}/review`,
    { start: 'later' },
    { start: 'scheduled' },
  ],
  launchCampaign: (own) => [
    `/v1/campaigns/${own.campaign}/launch`,
    { start: 'later' },
    { start: 'scheduled' },
  ],
  placeHold: (own) => ['/v1/holds', holdOn(own, 'Checked.'), holdOn(own, 'Checked again.')],
  pauseCampaign: (own) => [`/v1/campaigns/${own.launched}/pause`, { reason: 'One' }, { reason: 'Two' }],
};
const holdOn = (own: Things, reason: string) => ({ scope: 'message', scopeId: own.message, reason });
const account = (name: string) => ({ name, timeZone: 'UTC', senderName: 'S', defaultCountry: 'US' });
const carrier = (name: string) => ({ name, authId: 'MA1', authToken: 'secret' });
const phrase = (text: string) => ({ phrase: text, reason: 'It promises.', effectiveFrom: '2026-01-01' });
const sender = (address: string) => ({ address, type: 'short_code' });

function send(id: string, path: string, body: unknown, key: string): Promise<Reply> {
  const own = id === 'leaveParent' ? branch.call : world.mine.call;
  const call = ROUTE_CASES[id]?.scope === 'operator' ? world.operator : own;
  return call('POST', path, { body, headers: { 'idempotency-key': key } });
}

/** Waits until what an account's lifted hold held has been woken, which is noted after the answer. */
async function branchIsWoken(): Promise<void> {
  await until(
    async () => {
      const { rows } = await world.owner.query(
        'select from holds where scope_id = $1 and lifted_at is not null and woken_at is null',
        [branch.accountId],
      );
      return rows.length;
    },
    (left) => left === 0,
  );
}

describe('a key of idempotency', () => {
  test('is kept by every POST that creates or acts', () => {
    const posts = routesOf(world.document)
      .filter(({ method }) => method === 'POST')
      .map(({ operation }) => operation.operationId ?? '')
      .filter((id) => !KEEPS_NOTHING.includes(id) && !ACTIONS.test(id));
    expect(new Set(posts)).toEqual(new Set(Object.keys(CREATING)));
  });

  test.each(Object.keys(CREATING))(
    'gives the stored answer of %s to a repeated request, once made',
    async (id) => {
      const [path, body, other] = CREATING[id]?.(things) ?? ['', null, null];
      const before = await world.snapshot();
      const first = await send(id, path, body, `key of ${id}`);
      expect(first.status).toBeLessThan(300);
      await branchIsWoken();
      const after = await world.snapshot();
      expect({
        id,
        isMade: JSON.stringify(after) !== JSON.stringify(before) || id === 'addListMembers',
      }).toEqual({
        id,
        isMade: true,
      });
      const repeated = await send(id, path, body, `key of ${id}`);
      expect({ status: repeated.status, body: repeated.body }).toEqual({
        status: first.status,
        body: first.body,
      });
      const reused = await send(id, path, other, `key of ${id}`);
      expect(reused).toMatchObject({ status: 422, body: { code: 'key-reused' } });
      expect(await world.snapshot()).toEqual(after);
    },
  );

  test('holds for one route only', async () => {
    await send('createList', '/v1/lists', { name: 'Here' }, 'one route');
    const reply = await send('createCampaign', '/v1/campaigns', { name: 'Here' }, 'one route');
    expect(reply).toMatchObject({ status: 422, body: { code: 'key-reused' } });
  });

  test('is not burnt by a request that fails: it commits with what it creates', async () => {
    await send('createCampaign', '/v1/campaigns', { name: 'Autumn' }, 'first autumn');
    const before = await world.snapshot();
    const refused = await send('createCampaign', '/v1/campaigns', { name: 'AUTUMN' }, 'second autumn');
    expect(refused).toMatchObject({ status: 409, body: { code: 'name-taken' } });
    expect(await world.snapshot()).toEqual(before);
    const { rows } = await world.owner.query(`select from idempotency_keys where key = 'second autumn'`);
    expect(rows).toHaveLength(0);
    await world.owner.query(`update campaigns set name = 'Winter' where name = 'Autumn'`);
    expect((await send('createCampaign', '/v1/campaigns', { name: 'AUTUMN' }, 'second autumn')).status).toBe(
      201,
    );
  });

  test('of another account, or of another key of the account, is another one', async () => {
    const name = { name: 'Shared words' };
    const options = { body: name, headers: { 'idempotency-key': 'shared' } };
    const mine = await world.mine.call('POST', '/v1/campaigns', options);
    const theirs = await world.theirs.call('POST', '/v1/campaigns', options);
    expect([mine.status, theirs.status]).toEqual([201, 201]);
    expect(theirs.body['id']).not.toBe(mine.body['id']);
    const otherKey = await world.mine.withScopes(['write']);
    const taken = await otherKey('POST', '/v1/campaigns', options);
    expect(taken).toMatchObject({ status: 409, body: { code: 'name-taken' } });
  });

  test('answers 409 to a twin while the first is under way, and the stored answer after it', async () => {
    const ask = () =>
      send('addListMembers', `/v1/lists/${things.list}/members`, { contactIds: [things.contact] }, 'twin');
    const first = await whileLocked(
      `select from lists where id = '${things.list}' for update`,
      ask,
      1,
      async () => {
        expect(await ask()).toMatchObject({ status: 409, body: { code: 'request-in-flight' } });
      },
    );
    expect(first.map((reply) => reply.status)).toEqual([200]);
    expect((await ask()).body).toEqual(first[0]?.body);
  });

  test.each(['', 'x'.repeat(201)])('has 1 to 200 characters', async (key) => {
    const before = await world.snapshot();
    expect(await send('createList', '/v1/lists', { name: 'Key' }, key)).toMatchObject({ status: 400 });
    expect(await world.snapshot()).toEqual(before);
  });
});

/** Sends requests that wait for a lock, does something meanwhile, and returns their answers once it is gone. */
async function whileLocked(
  lock: string,
  ask: () => Promise<Reply>,
  count: number,
  meanwhile: () => Promise<void> = () => Promise.resolve(),
): Promise<Reply[]> {
  await world.owner.query('begin');
  let answers: Promise<Reply[]>;
  try {
    await world.owner.query(lock);
    answers = Promise.all(Array.from({ length: count }, ask));
    await lockWaiters(world.owner, count);
    await meanwhile();
  } finally {
    await world.owner.query('rollback');
  }
  return answers;
}

describe('a change that names the version it is about', () => {
  const CHANGES: Readonly<Record<string, readonly [string, string, (own: Things) => string]>> = {
    account: ['name', 'accounts', () => '/v1/account'],
    person: ['name', 'people', (own) => `/v1/people/${own.person}`],
    sender: ['segmentsPerSecond', 'senders', (own) => `/v1/senders/${own.sender}`],
    contact: ['firstName', 'contacts', (own) => `/v1/contacts/${own.contact}`],
    list: ['name', 'lists', (own) => `/v1/lists/${own.list}`],
    campaign: ['name', 'campaigns', () => `/v1/campaigns/${draft}`],
  };
  let draft: string;
  beforeAll(async () => {
    draft = (await createDraft(world.mine, 'Versions')).campaign;
  });
  const changeOf = (field: string, value: number) => ({
    [field]: field === 'segmentsPerSecond' ? value : `Value ${value}`,
  });

  test.each(Object.keys(CHANGES))(
    'is made to a %s that is fresh, and refused with 412 to a stale one',
    async (kind) => {
      const [field, , pathOf] = CHANGES[kind] ?? ['', '', () => ''];
      const path = pathOf(things);
      const patch = (value: number, version: string) =>
        world.mine.call('PATCH', path, { body: changeOf(field, value), headers: { 'if-match': version } });
      const read = await world.mine.call('GET', path);
      const fresh = read.headers.get('etag') ?? 'none';
      const changed = await patch(1, fresh);
      expect(changed).toMatchObject({ status: 200, body: changeOf(field, 1) });
      expect(changed.headers.get('etag')).not.toBe(fresh);
      const before = await world.snapshot();
      expect(await patch(2, fresh)).toMatchObject({ status: 412, body: { code: 'version-mismatch' } });
      expect(await world.snapshot()).toEqual(before);
      const now = await world.mine.call('GET', path);
      expect(now.headers.get('etag')).toBe(changed.headers.get('etag'));
      expect((await patch(3, '*')).status).toBe(200);
    },
  );

  test.each(Object.keys(CHANGES))(
    'is made by one of two who change the same version of a %s at once',
    async (kind) => {
      const [field, table, pathOf] = CHANGES[kind] ?? ['', '', () => ''];
      const path = pathOf(things);
      const version = (await world.mine.call('GET', path)).headers.get('etag') ?? 'none';
      let value = 10;
      const ask = () =>
        world.mine.call('PATCH', path, {
          body: changeOf(field, (value += 1)),
          headers: { 'if-match': version },
        });
      const replies = await whileLocked(`select from ${table} for no key update`, ask, 2);
      expect(new Set(replies.map((reply) => reply.status))).toEqual(new Set([200, 412]));
    },
  );

  test.each(['contact', 'list', 'campaign'])('deletes no %s that has changed since', async (kind) => {
    const path = CHANGES[kind]?.[2](things) ?? '';
    const before = await world.snapshot();
    const reply = await world.mine.call('DELETE', path, { headers: { 'if-match': '"0"' } });
    expect(reply).toMatchObject({ status: 412, body: { code: 'version-mismatch' } });
    expect(await world.snapshot()).toEqual(before);
  });

  test('is one of the campaign when it is made to a message', async () => {
    const campaign = `/v1/campaigns/${(await createDraft(world.mine, 'Versions of messages')).campaign}`;
    const read = await world.mine.call('GET', campaign);
    const stale = { 'if-match': read.headers.get('etag') ?? 'none' };
    const [message] = read.body['messages'] as { id: string }[];
    const path = `${campaign}/messages/${message?.id}`;
    expect((await world.mine.call('PATCH', path, { body: { text: 'One' }, headers: stale })).status).toBe(
      200,
    );
    for (const [method, body] of [
      ['PATCH', { text: 'Two' }],
      ['PATCH', { expiresAfterMs: 60_000 }],
      ['DELETE', undefined],
    ] as const) {
      expect((await world.mine.call(method, path, { body, headers: stale })).status).toBe(412);
    }
    const now = await world.mine.call('GET', campaign);
    expect(now.body['messages']).toMatchObject([{ text: 'One' }]);
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ACKNOWLEDGEMENT } from '../../domain/launch-check.ts';
import { type ApiWorld, openApiWorld, type Reply, type Tenant } from './api-world.ts';
import { create, createDraft } from './seeded-things.ts';

let world: ApiWorld;
let parent: Tenant;
let children: Tenant[];
let presetId: string;

const answerOf = ({ status, body }: Reply): string =>
  status < 400 ? String(status) : `${status} ${String(body['code'])}`;

beforeAll(async () => {
  world = await openApiWorld();
  parent = await world.openTenant();
  children = [await world.openTenant(), await world.openTenant()];
  await enable(true);
  for (const child of children) {
    const path = `/v1/accounts/${child.accountId}/parent`;
    await world.operator('PUT', path, { body: { parentId: parent.accountId } });
    const contact = await create(child.call, '/v1/contacts', { number: '+12125552001' });
    await child.call('POST', `/v1/lists/${child.listId}/members`, { body: { contactIds: [contact] } });
  }
  presetId = await create(parent.call, '/v1/presets', { name: 'All branches' });
  await parent.call('POST', `/v1/presets/${presetId}/pairs`, {
    body: { pairs: children.map(({ accountId, listId }) => ({ accountId, listId })) },
  });
});
afterAll(() => world.close());

function enable(enabled: boolean): Promise<Reply> {
  return world.operator('PUT', `/v1/accounts/${parent.accountId}/central-send`, { body: { enabled } });
}

/** A complete central draft with one message. */
async function draftCentral(name: string, more: Record<string, unknown> = {}): Promise<string> {
  const id = await create(parent.call, '/v1/campaigns', {
    kind: 'central',
    name,
    presetId,
    ownerId: parent.personId,
    purpose: 'marketing',
    acknowledgement: ACKNOWLEDGEMENT,
    ...more,
  });
  await parent.call('POST', `/v1/campaigns/${id}/messages`, {
    body: {
      text: 'News of {{account.senderName}}, reply STOP to opt out.',
      schedule: { local: '2027-01-12T15:00', zone: 'America/New_York' },
    },
  });
  return id;
}

async function launch(id: string, start: string): Promise<Reply> {
  const review = await parent.call('POST', `/v1/campaigns/${id}/review`, { body: { start } });
  const reviewToken = review.body['token'];
  return parent.call('POST', `/v1/campaigns/${id}/launch`, { body: { start, reviewToken } });
}

describe('a central draft', () => {
  test('needs Central Send, which an operator enables, and says so without', async () => {
    await enable(false);
    const refused = await parent.call('POST', '/v1/campaigns', { body: { kind: 'central' } });
    expect(answerOf(refused)).toBe('403 central-send-disabled');
    expect(String(refused.body['detail'])).toContain('operator');
    await enable(true);
    const made = await parent.call('POST', '/v1/campaigns', { body: { kind: 'central' } });
    expect(made).toMatchObject({
      status: 201,
      body: { kind: 'central', central: { accounts: 0 }, report: null },
    });
    const missing = made.body['missing'] as readonly { readonly pointer: string }[];
    expect(missing.map((one) => one.pointer)).toEqual([
      '/name',
      '/presetId',
      '/ownerId',
      '/purpose',
      '/acknowledgement',
      '/messages',
    ]);
  });

  test('has a preset where a standard one has a sender and lists, and neither becomes the other', async () => {
    const id = await draftCentral('Kinds');
    const call = (body: unknown) => parent.call('PATCH', `/v1/campaigns/${id}`, { body });
    expect(answerOf(await call({ listIds: [parent.listId] }))).toBe('422 not-acceptable-value');
    expect(answerOf(await call({ budget: { amountMicro: 1, currency: 'USD' } }))).toBe(
      '422 not-acceptable-value',
    );
    expect(answerOf(await call({ kind: 'standard' }))).toBe('409 not-interchangeable');
    expect(answerOf(await call({ kind: 'central', timing: 'local_time' }))).toBe('200');
    const { campaign } = await createDraft(parent, 'Standard one');
    const standard = (body: unknown) => parent.call('PATCH', `/v1/campaigns/${campaign}`, { body });
    expect(answerOf(await standard({ presetId }))).toBe('422 not-acceptable-value');
    expect(answerOf(await standard({ kind: 'central' }))).toBe('409 not-interchangeable');
  });

  test('copies to a central one only, and a standard one to a standard one only', async () => {
    const id = await draftCentral('Copied');
    const copy = await parent.call('POST', `/v1/campaigns/${id}/duplicate`, { body: {} });
    expect(copy).toMatchObject({
      status: 201,
      body: { kind: 'central', name: 'Copy of Copied', central: { presetId, accounts: 2 } },
    });
    const { campaign } = await createDraft(parent, 'Standard to copy');
    const tries = [
      [id, 'standard'],
      [campaign, 'central'],
    ] as const;
    for (const [from, kind] of tries) {
      const reply = await parent.call('POST', `/v1/campaigns/${from}/duplicate`, { body: { kind } });
      expect(answerOf(reply)).toBe('409 not-interchangeable');
    }
    expect((await parent.call('POST', `/v1/campaigns/${campaign}/duplicate`)).body['kind']).toBe('standard');
  });

  test('has its name alone, of central and standard ones that are created at once', async () => {
    const bodies = ['central', 'standard', 'central', 'standard'].map((kind) => ({ kind, name: 'At once' }));
    const replies = await Promise.all(bodies.map((body) => parent.call('POST', '/v1/campaigns', { body })));
    const taken = '409 name-taken';
    expect(replies.map(answerOf).toSorted()).toEqual(['201', taken, taken, taken]);
    expect((await parent.call('GET', '/v1/campaigns?q=at once')).body['total']).toBe(1);
  });

  test('is found among the campaigns by its kind', async () => {
    await draftCentral('Found by kind');
    const central = await parent.call('GET', '/v1/campaigns?kind=central&q=found by kind');
    expect(central.body).toMatchObject({ total: 1, items: [{ kind: 'central', name: 'Found by kind' }] });
    expect((await parent.call('GET', '/v1/campaigns?kind=standard&q=found by kind')).body['total']).toBe(0);
  });
});

describe('a message of a central campaign', () => {
  const shown = async (id: string, body: Record<string, unknown>): Promise<Reply> => {
    const { body: campaign } = await parent.call('GET', `/v1/campaigns/${id}`);
    const [message] = campaign['messages'] as readonly { readonly id: string }[];
    return parent.call('POST', `/v1/campaigns/${id}/messages/${message?.id}/preview`, { body });
  };

  test('is shown with the fields and affixes of a sub-account, never of the parent', async () => {
    const id = await draftCentral('Shown');
    const [first, second] = children.toSorted((a, b) => (a.accountId < b.accountId ? -1 : 1));
    const changes = { senderName: 'Second branch', prefix: 'News: ' };
    await second?.call('PATCH', '/v1/account', { body: changes });
    expect((await shown(id, { accountId: second?.accountId })).body['text']).toBe(
      'News: News of Second branch, reply STOP to opt out.',
    );
    const account = await first?.call('GET', '/v1/account');
    const name = String(account?.body['senderName']);
    expect((await shown(id, {})).body['text']).toBe(`News of ${name}, reply STOP to opt out.`);
    await second?.call('PATCH', '/v1/account', { body: { senderName: 'Harbour', prefix: '' } });
  });

  test('is shown in no account that its preset does not have, and in none before it has one', async () => {
    const id = await draftCentral('Shown elsewhere');
    const elsewhere = await shown(id, { accountId: world.theirs.accountId });
    expect(elsewhere).toMatchObject({ status: 422, body: { errors: [{ pointer: '/accountId' }] } });
    const without = await draftCentral('Shown nowhere', { presetId: null });
    expect(await shown(without, {})).toMatchObject({
      status: 422,
      body: { code: 'not-launchable', errors: [{ pointer: '/presetId' }] },
    });
  });

  test("goes on trial from the parent's own number to its own test numbers", async () => {
    const id = await draftCentral('On trial', { senderId: parent.senderId });
    await create(parent.call, '/v1/test-numbers', { number: '+12125552188' });
    const { body: campaign } = await parent.call('GET', `/v1/campaigns/${id}`);
    const [message] = campaign['messages'] as readonly { readonly id: string }[];
    const [, child] = children;
    const reply = await parent.call('POST', `/v1/campaigns/${id}/messages/${message?.id}/test`, {
      body: { accountId: child?.accountId },
    });
    expect(reply).toMatchObject({ status: 202, body: { tests: [{ number: '+12125552188' }] } });
    const { rows } = await world.owner.query(
      'select account_id, sender_id, text from test_sends where campaign_id = $1',
      [id],
    );
    const text = '[Test] News of Harbour, reply STOP to opt out.';
    expect(rows).toEqual([{ account_id: parent.accountId, sender_id: parent.senderId, text }]);
  });
});

test('a central campaign is not shown as held by a hold on the number that its tests go out from', async () => {
  const id = await draftCentral('With a number for tests', { senderId: parent.senderId });
  const hold = (scope: string, scopeId: string): Promise<string> =>
    create(parent.call, '/v1/holds', { scope, scopeId, reason: 'It has to be checked.' });
  const onSender = await hold('sender', parent.senderId);
  const shown = async () => (await parent.call('GET', `/v1/campaigns/${id}`)).body['holds'];
  expect(await shown()).toEqual([]);
  const onItself = await hold('campaign', id);
  expect(await shown()).toMatchObject([{ id: onItself, scope: 'campaign' }]);
  for (const one of [onSender, onItself]) await parent.call('DELETE', `/v1/holds/${one}`);
});

describe('the review of a central campaign', () => {
  test('tells accounts, lists, and of each account recipients, segments, cost and times, and gives the token', async () => {
    const id = await draftCentral('Reviewed');
    const review = await parent.call('POST', `/v1/campaigns/${id}/review`, { body: { start: 'scheduled' } });
    expect(review).toMatchObject({
      status: 200,
      body: {
        recipients: 2,
        segments: 2,
        refusals: [],
        central: { accounts: 2, lists: 2, ready: 2, faulty: 0, waiting: 0, timing: 'one_instant' },
      },
    });
    const token = String(review.body['token']);
    const accounts = await parent.call('GET', `/v1/campaigns/${id}/reviews/${token}/accounts`);
    expect(accounts.body['total']).toBe(2);
    expect(accounts.body['items']).toMatchObject(
      children
        .map(({ accountId }) => accountId)
        .toSorted()
        .map((accountId) => ({ accountId, lists: 1, recipients: 1, segments: 1, warnings: [] })),
    );
  });

  test('is demanded of a launch, and refuses one that is not any more what was seen', async () => {
    const id = await draftCentral('Demanded');
    const without = await parent.call('POST', `/v1/campaigns/${id}/launch`, { body: { start: 'scheduled' } });
    expect(answerOf(without)).toBe('409 review-required');
    const review = await parent.call('POST', `/v1/campaigns/${id}/review`, { body: { start: 'scheduled' } });
    const [child] = children;
    await child?.call('PATCH', '/v1/account', { body: { senderName: 'Another name' } });
    const body = { start: 'scheduled', reviewToken: review.body['token'] };
    const stale = await parent.call('POST', `/v1/campaigns/${id}/launch`, { body });
    expect(answerOf(stale)).toBe('409 review-stale');
    await child?.call('PATCH', '/v1/account', { body: { senderName: 'Harbour' } });
  });

  test('warns of an account that cannot send, and lets the others be sent', async () => {
    const id = await draftCentral('Warned');
    const [child] = children;
    const lapsed = { body: { registration: 'lapsed' } };
    await child?.call('PATCH', `/v1/senders/${child.senderId}`, lapsed);
    const review = await parent.call('POST', `/v1/campaigns/${id}/review`, { body: { start: 'scheduled' } });
    await child?.call('PATCH', `/v1/senders/${child.senderId}`, { body: { registration: 'approved' } });
    expect(review.body).toMatchObject({ refusals: [], central: { ready: 2, faulty: 1 } });
    const { items } = review.body['central'] as {
      readonly items: readonly {
        readonly accountId: string;
        readonly warnings: readonly { code: string }[];
      }[];
    };
    expect(items[0]).toMatchObject({
      accountId: child?.accountId,
      warnings: [{ code: 'registration_lapsed' }],
    });
    expect(review.body['token']).toEqual(expect.any(String));
  });

  test('counts an account in its night as waiting, also while it has no sender that would start then', async () => {
    const id = await draftCentral('Lapsed in its night');
    const [child] = children;
    await child?.call('PATCH', `/v1/senders/${child.senderId}`, { body: { registration: 'lapsed' } });
    const night = { quietHours: { start: '14:00', end: '16:00' } };
    await child?.call('PATCH', '/v1/account', { body: night });
    const review = await parent.call('POST', `/v1/campaigns/${id}/review`, { body: { start: 'scheduled' } });
    await child?.call('PATCH', `/v1/senders/${child.senderId}`, { body: { registration: 'approved' } });
    await child?.call('PATCH', '/v1/account', { body: { quietHours: { start: '20:00', end: '08:00' } } });
    expect(review.body).toMatchObject({ refusals: [], central: { ready: 2, faulty: 1, waiting: 1 } });
    const { items } = review.body['central'] as { readonly items: readonly unknown[] };
    expect(items[0]).toMatchObject({
      accountId: child?.accountId,
      messages: [{ waits: true, startsAt: null, endsAt: null }],
      warnings: [{ code: 'registration_lapsed' }, { code: 'waits' }],
    });
  });

  test("refuses what lies in the parent's quiet hours, and a local time that has passed in a zone, naming the account", async () => {
    const id = await draftCentral('Refused');
    const night = { body: { quietHours: { start: '10:00', end: '18:00' } } };
    await parent.call('PATCH', '/v1/account', night);
    const review = await parent.call('POST', `/v1/campaigns/${id}/review`, { body: { start: 'now' } });
    await parent.call('PATCH', '/v1/account', { body: { quietHours: { start: '20:00', end: '08:00' } } });
    expect(review.body).toMatchObject({ token: null, refusals: [{ code: 'quiet-hours' }] });

    const [, child] = children;
    await child?.call('PATCH', '/v1/account', { body: { timeZone: 'Asia/Tokyo' } });
    const local = await draftCentral('Refused locally', { timing: 'local_time' });
    const refused = await parent.call('POST', `/v1/campaigns/${local}/review`, {
      body: { start: 'scheduled' },
    });
    await child?.call('PATCH', '/v1/account', { body: { timeZone: 'America/New_York' } });
    const refusals = refused.body['refusals'] as readonly {
      readonly code: string;
      readonly message: string;
    }[];
    expect(refusals).toMatchObject([{ code: 'schedule-past' }]);
    expect(refusals[0]?.message).toContain(child?.accountId);
  });
});

describe('a local time on the day of a change of the clocks', () => {
  const zoneOf = (tenant: Tenant | undefined, timeZone: string) =>
    tenant?.call('PATCH', '/v1/account', {
      body: { timeZone, quietHours: { start: '00:00', end: '00:00' } },
    });
  /** Reviews a campaign that is due at this time everywhere, with the first branch in a zone that changes. */
  async function reviewAt(name: string, local: string): Promise<Reply> {
    const [changing, other] = children;
    await zoneOf(changing, 'America/Denver');
    for (const one of [parent, other]) await zoneOf(one, 'America/Phoenix');
    const id = await draftCentral(name, { timing: 'local_time' });
    const { body } = await parent.call('GET', `/v1/campaigns/${id}`);
    const [message] = body['messages'] as readonly { readonly id: string }[];
    await parent.call('PATCH', `/v1/campaigns/${id}/messages/${message?.id}`, {
      body: { schedule: { local, zone: 'America/Phoenix' } },
    });
    const review = await parent.call('POST', `/v1/campaigns/${id}/review`, { body: { start: 'scheduled' } });
    const night = { start: '20:00', end: '08:00' };
    for (const one of [parent, ...children]) {
      await one.call('PATCH', '/v1/account', { body: { timeZone: 'America/New_York', quietHours: night } });
    }
    return review;
  }

  test('that does not exist in a zone is refused, naming the account that is there', async () => {
    const { body } = await reviewAt('In the gap', '2027-03-14T02:30');
    expect(body).toMatchObject({
      token: null,
      refusals: [{ pointer: '/messages', code: 'time-does-not-exist' }],
    });
    const [refusal] = body['refusals'] as readonly { readonly message: string }[];
    expect(refusal?.message).toContain(children[0]?.accountId);
  });

  test('that comes twice in a zone is the first of the two there', async () => {
    const { body } = await reviewAt('Twice', '2027-11-07T01:30');
    expect(body).toMatchObject({ token: expect.any(String), refusals: [] });
    const { items } = body['central'] as {
      readonly items: readonly {
        readonly accountId: string;
        readonly messages: readonly { dueAt: string }[];
      }[];
    };
    const dues = items.map(({ accountId, messages }) => [accountId, messages[0]?.dueAt]);
    expect(Object.fromEntries(dues)).toEqual({
      [children[0]?.accountId ?? '']: '2027-11-07T01:30:00-06:00',
      [children[1]?.accountId ?? '']: '2027-11-07T01:30:00-07:00',
    });
  });
});

describe('a launched central campaign', () => {
  test('is handed out by its own workflow, and shows each account with a state and never a count', async () => {
    const id = await draftCentral('Launched');
    const launched = await launch(id, 'scheduled');
    expect(launched.status).toBe(202);
    expect(world.asked).toContain(`apply central ${String(launched.body['id'])}`);
    const view = await parent.call('GET', `/v1/campaigns/${id}`);
    expect(view.body).toMatchObject({
      status: 'processing',
      report: null,
      spent: null,
      central: { accounts: 2, states: { waiting: 2, done: 0 } },
    });
    const accounts = await parent.call('GET', `/v1/campaigns/${id}/accounts`);
    expect(accounts.body).toMatchObject({
      total: 2,
      items: [
        { state: 'waiting', reason: null, canRetry: false },
        { state: 'waiting', reason: null, canRetry: false },
      ],
    });
    expect(JSON.stringify(accounts.body)).not.toMatch(/recipients|delivered|cost/);
  });

  test('keeps the pairs that its preset had then', async () => {
    const id = await draftCentral('Fixed');
    await launch(id, 'scheduled');
    const [child] = children;
    const pairs = [{ accountId: child?.accountId, listId: child?.listId }];
    await parent.call('POST', `/v1/presets/${presetId}/pairs/remove`, { body: { pairs } });
    expect((await parent.call('GET', `/v1/campaigns/${id}/accounts`)).body['total']).toBe(2);
    await parent.call('POST', `/v1/presets/${presetId}/pairs`, { body: { pairs } });
  });

  test('that is paused is paused in every part by the answer, before any workflow has heard of it', async () => {
    const id = await draftCentral('Paused');
    await launch(id, 'scheduled');
    const paused = await parent.call('POST', `/v1/campaigns/${id}/pause`);
    expect(paused).toMatchObject({
      status: 202,
      body: { inFlight: null, accounts: { reached: 2, done: 0 } },
    });
    const action = await parent.call('GET', String(paused.body['url']));
    expect(action.body).toMatchObject({ inFlight: null, accounts: { reached: 2, done: 0 } });
    const accounts = await parent.call('GET', `/v1/campaigns/${id}/accounts?state=paused`);
    expect(accounts.body).toMatchObject({ total: 2, items: [{ reason: { code: 'by_parent' } }, {}] });
    const { body: campaign } = await parent.call('GET', `/v1/campaigns/${id}`);
    expect(campaign['central']).toMatchObject({ accounts: 2, states: { paused: 2, waiting: 0 } });
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiWorld, openApiWorld, type Reply } from './api-world.ts';
import { create, createDraft } from './seeded-things.ts';

const ALEX = '+12125552801';
const BO = '+12125552802';

let world: ApiWorld;
let contact: string;
let draft: { readonly campaign: string; readonly message: string };
beforeAll(async () => {
  world = await openApiWorld();
  contact = await create(world.mine.call, '/v1/contacts', { number: '+12125552001', firstName: 'Sam' });
  draft = await createDraft(world.mine, 'On trial');
});
afterAll(() => world.close());

const call = (method: string, path: string, body?: unknown): Promise<Reply> =>
  world.mine.call(method, path, body === undefined ? {} : { body });
const path = () => `/v1/campaigns/${draft.campaign}/messages/${draft.message}`;
const order = (body: unknown = {}): Promise<Reply> => call('POST', `${path()}/test`, body);
const rows = async (): Promise<unknown[]> =>
  (await world.owner.query('select number, text, state, in_quiet_hours from test_sends order by key')).rows;

type Refusal = readonly [
  what: string,
  prepare: () => Promise<unknown>,
  body: unknown,
  answer: Record<string, unknown>,
  restore: () => Promise<unknown>,
];

const nothing = (): Promise<unknown> => Promise.resolve();

describe('test numbers', () => {
  test("are the account's own, five at most, each once", async () => {
    expect(await order()).toMatchObject({ status: 422, body: { code: 'not-acceptable-value' } });
    const alex = await create(world.mine.call, '/v1/test-numbers', {
      number: '(212) 555-2801',
      name: 'Alex',
    });
    await create(world.mine.call, '/v1/test-numbers', { number: BO });
    expect(await call('POST', '/v1/test-numbers', { number: ALEX })).toMatchObject({
      status: 409,
      body: { code: 'already-exists' },
    });
    expect(await call('POST', '/v1/test-numbers', { number: '123' })).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '/number' }] },
    });
    const more: string[] = [];
    for (const last of ['3', '4', '5']) {
      more.push(await create(world.mine.call, '/v1/test-numbers', { number: `+1212555280${last}` }));
    }
    expect(await call('POST', '/v1/test-numbers', { number: '+12125552806' })).toMatchObject({
      status: 422,
      body: { code: 'not-acceptable-value' },
    });
    for (const id of more) expect((await call('DELETE', `/v1/test-numbers/${id}`)).status).toBe(204);
    expect((await call('GET', '/v1/test-numbers')).body).toMatchObject({
      items: [
        { id: alex, number: ALEX, country: 'US', name: 'Alex' },
        { number: BO, name: null },
      ],
    });
    expect((await world.theirs.call('GET', '/v1/test-numbers')).body).toEqual({ items: [] });
  });

  test('that are registered at once count each other', async () => {
    const replies = await Promise.all(
      ['1', '2', '3', '4', '5', '6', '7'].map((last) =>
        world.theirs.call('POST', '/v1/test-numbers', { body: { number: `+1212555290${last}` } }),
      ),
    );
    expect(replies.filter((reply) => reply.status === 201)).toHaveLength(5);
  });
});

describe('a test', () => {
  test('is ordered for the numbers that are named, as the message looks for the contact, marked, and once a key', async () => {
    const before = await world.mine.call('GET', `/v1/campaigns/${draft.campaign}`);
    const send = () =>
      world.mine.call('POST', `${path()}/test`, {
        body: { contactId: contact, numbers: [ALEX] },
        headers: { 'idempotency-key': 'one test' },
      });
    const first = await send();
    expect(first).toMatchObject({
      status: 202,
      body: {
        tests: [{ number: ALEX, contactId: contact, state: 'requested', segments: 1, inQuietHours: false }],
        url: `${path()}/tests`,
      },
    });
    expect((await send()).body).toEqual(first.body);
    expect(await rows()).toEqual([
      {
        number: ALEX,
        text: '[Test] Hi Sam, reply STOP to opt out.',
        state: 'requested',
        in_quiet_hours: false,
      },
    ]);
    const [ordered] = first.body['tests'] as readonly { readonly id: string }[];
    expect(world.asked.filter((line) => line === `test ${ordered?.id}`).length).toBeGreaterThan(0);
    const after = await world.mine.call('GET', `/v1/campaigns/${draft.campaign}`);
    expect(after.body).toEqual(before.body);
  });

  test('goes to all test numbers unless told, and is listed with its message, the newest first', async () => {
    const { body } = await order();
    expect(body['tests']).toMatchObject([{ number: BO }, { number: ALEX }]);
    const { body: list } = await call('GET', `${path()}/tests?pageSize=2`);
    expect(list).toMatchObject({ items: [{ number: BO }, { number: ALEX }] });
    const { body: rest } = await call('GET', `${path()}/tests?cursor=${String(list['nextCursor'])}`);
    expect(rest).toMatchObject({ items: [{ number: ALEX, contactId: contact }], nextCursor: null });
  });

  const refused: readonly Refusal[] = [
    [
      'to a number that is not registered',
      nothing,
      { numbers: [BO, '+12125552001'] },
      { status: 422, body: { code: 'unknown-reference', errors: [{ pointer: '/numbers/1' }] } },
      nothing,
    ],
    [
      'for a contact of nobody',
      nothing,
      { contactId: 'con_1zzzzzzzzzzzz' },
      { status: 422, body: { code: 'unknown-reference', errors: [{ pointer: '/contactId' }] } },
      nothing,
    ],
    [
      'in quiet hours without a confirmation',
      () => call('PATCH', '/v1/account', { quietHours: { start: '11:00', end: '13:00' } }),
      {},
      { status: 422, body: { code: 'quiet-hours', errors: [{ pointer: '/confirmQuietHours' }] } },
      () => call('PATCH', '/v1/account', { quietHours: { start: '20:00', end: '08:00' } }),
    ],
    [
      'while its campaign is held',
      () => world.owner.query('update gates set holds = 1 where scope_id = $1', [draft.campaign]),
      {},
      { status: 409, body: { code: 'held' } },
      () => world.owner.query('update gates set holds = 0 where scope_id = $1', [draft.campaign]),
    ],
    [
      'from a sender that is disabled',
      () => call('PATCH', `/v1/senders/${world.mine.senderId}`, { disabled: true }),
      {},
      { status: 409, body: { code: 'cause-persists' } },
      () => call('PATCH', `/v1/senders/${world.mine.senderId}`, { disabled: false }),
    ],
    [
      'from a sender whose registration is over',
      () =>
        world.owner.query(`update senders set registration_expires_on = '2000-01-01' where id = $1`, [
          world.mine.senderId,
        ]),
      {},
      { status: 409, body: { code: 'cause-persists', cause: 'registration_lapsed' } },
      () =>
        world.owner.query('update senders set registration_expires_on = null where id = $1', [
          world.mine.senderId,
        ]),
    ],
    [
      'beyond the spend limit',
      () => call('PATCH', '/v1/account', { spendLimit: { amountMicro: 1, currency: 'USD' } }),
      {},
      { status: 409, body: { code: 'cause-persists' } },
      () => call('PATCH', '/v1/account', { spendLimit: null }),
    ],
    [
      'to somebody who has opted out',
      () => call('POST', '/v1/suppressions', { number: BO, kind: 'manual', reason: 'Left.' }),
      {},
      { status: 422, body: { errors: [{ pointer: '/numbers/1', code: 'manual' }] } },
      () => world.owner.query(`delete from suppressions where kind = 'manual'`),
    ],
    [
      'of a text that has refused phrases',
      async () => {
        await world.operator('POST', '/v1/refused-phrases', {
          body: { phrase: 'sure win', reason: 'It promises.', effectiveFrom: '2026-01-01' },
        });
        await call('PATCH', path(), { text: 'A sure win' });
      },
      {},
      { status: 422, body: { code: 'not-launchable', errors: [{ code: 'content-refused' }] } },
      () => call('PATCH', path(), { text: 'Hello {{firstName|you}}' }),
    ],
    [
      'of a text that the mark makes too long',
      () => call('PATCH', path(), { text: 'a'.repeat(1_595) }),
      {},
      { status: 422, body: { code: 'not-launchable', errors: [{ code: 'text_too_long' }] } },
      () => call('PATCH', path(), { text: 'Hello {{firstName|you}}' }),
    ],
  ];

  test.each(refused)(
    'is refused %s, and nothing is written',
    async (_what, prepare, body, answer, restore) => {
      await prepare();
      const before = await world.snapshot();
      expect(await order(body)).toMatchObject(answer);
      expect(await world.snapshot()).toEqual(before);
      await restore();
      expect((await order({ numbers: [ALEX] })).status).toBe(202);
    },
  );

  test('goes out in quiet hours to whoever is said to agree', async () => {
    await call('PATCH', '/v1/account', { quietHours: { start: '11:00', end: '13:00' } });
    const { status, body } = await order({ numbers: [BO], confirmQuietHours: true });
    await call('PATCH', '/v1/account', { quietHours: { start: '20:00', end: '08:00' } });
    expect({ status, tests: body['tests'] }).toMatchObject({ status: 202, tests: [{ inQuietHours: true }] });
  });
});

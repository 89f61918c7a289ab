import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resolveAlerts } from '../../db/alerts.ts';
import { raiseCarrierTrouble } from '../../db/carrier-alerts.ts';
import { withAccount } from '../../db/database.ts';
import { suppress } from '../../db/suppressions.ts';
import { costMicroUsd } from '../../domain/rates.ts';
import { type ApiWorld, NOON, openApiWorld, type Reply } from './api-world.ts';
import { create, createDraft } from './seeded-things.ts';

let world: ApiWorld;
beforeAll(async () => {
  world = await openApiWorld();
});
afterAll(() => world.close());

const call = (method: string, path: string, body?: unknown) =>
  world.mine.call(method, path, body === undefined ? {} : { body });
const post = (path: string, body: unknown) => call('POST', path, body);
const patch = (path: string, body: unknown) => call('PATCH', path, body);
const one = costMicroUsd({ country: 'US', senderType: 'short_code', kind: 'sms', segments: 1, at: NOON });

interface Draft {
  readonly campaign: string;
  readonly message: string;
  readonly list: string;
}

let drafts = 0;
/** A draft of its own list with contacts whose numbers nobody else has. */
async function draft(people: number, more: Readonly<Record<string, unknown>> = {}): Promise<Draft> {
  drafts += 1;
  const list = await create(world.mine.call, '/v1/lists', { name: `List ${drafts}` });
  await addPeople(list, people);
  return { ...(await createDraft(world.mine, `Draft ${drafts}`, { listIds: [list], ...more })), list };
}

let numbers = 0;
async function addPeople(list: string, count: number, area = '212'): Promise<string[]> {
  const contactIds: string[] = [];
  for (let index = 0; index < count; index += 1) {
    numbers += 1;
    const number = `+1${area}555${String(numbers).padStart(4, '0')}`;
    contactIds.push(await create(world.mine.call, '/v1/contacts', { number, firstName: `Sam${numbers}` }));
  }
  if (count > 0) await post(`/v1/lists/${list}/members`, { contactIds });
  return contactIds;
}

const review = (campaign: string, body: unknown = { start: 'scheduled' }): Promise<Reply> =>
  post(`/v1/campaigns/${campaign}/review`, body);
async function tokenOf(campaign: string, body?: unknown): Promise<string> {
  const reply = await review(campaign, body);
  expect(reply.body['refusals']).toEqual([]);
  return String(reply.body['token']);
}
const launch = (campaign: string, reviewToken: unknown, start = 'scheduled'): Promise<Reply> =>
  post(`/v1/campaigns/${campaign}/launch`, { start, reviewToken });
const stale = (...codes: readonly string[]) => ({
  status: 409,
  body: { code: 'review-stale', errors: codes.map((code) => ({ code })) },
});

describe('a review', () => {
  test('says who gets what for how much, and who is left out and why, with an example each', async () => {
    const { campaign, message, list } = await draft(5);
    const [abroad = ''] = await addPeople(list, 1, '604');
    const [stopped = ''] = await addPeople(list, 1);
    const [excluded] = await addPeople(list, 1);
    const excludedList = await create(world.mine.call, '/v1/lists', { name: 'Not these' });
    await post(`/v1/lists/${excludedList}/members`, { contactIds: [excluded] });
    await patch(`/v1/campaigns/${campaign}`, { excludedListIds: [excludedList] });
    const { body: contact } = await call('GET', `/v1/contacts/${stopped}`);
    await withAccount(world.db, world.mine.accountId, async (trx) => {
      const { hash } = await trx
        .selectFrom('contacts')
        .where('number', '=', String(contact['number']))
        .select('number_hash as hash')
        .executeTakeFirstOrThrow();
      await suppress(trx, {
        accountId: world.mine.accountId,
        numberHash: hash,
        number: String(contact['number']),
        kind: 'opt_out',
        senderId: null,
        source: 'inbound',
        actor: { id: 'system', via: 'system' },
      });
    });
    await patch(`/v1/campaigns/${campaign}/messages/${message}`, {
      text: `{{firstName}} ${'a'.repeat(156)}`,
    });
    await post(`/v1/campaigns/${campaign}/messages`, {
      text: '{{custom.coupon}}',
      schedule: { local: '2027-01-13T15:00', zone: 'America/New_York' },
    });

    const { status, body } = await review(campaign);
    expect(status).toBe(200);
    const leftOut = [
      { reason: 'country_not_allowed', count: 1, example: { contactId: abroad } },
      { reason: 'opt_out', count: 1, example: { contactId: stopped, number: contact['number'] } },
    ];
    expect(body).toMatchObject({
      action: 'launch',
      recipients: 7,
      leftOut: [...leftOut, { reason: 'excluded_list', count: 1, example: { contactId: excluded } }],
      segments: 10,
      cost: { amountMicro: 10 * one, currency: 'USD' },
      estimated: false,
      rendered: null,
      messages: [
        {
          messageId: message,
          position: 1,
          recipients: 5,
          leftOut,
          segments: 10,
          cost: { amountMicro: 10 * one },
          dueAt: '2027-01-12T15:00:00-05:00',
          startsAt: '2027-01-12T15:00:00-05:00',
          endsAt: '2027-01-12T15:00:00-05:00',
          expiresAt: '2027-01-13T15:00:00-05:00',
          rollsOver: null,
          expires: null,
        },
        { recipients: 0, segments: 0, leftOut: [...leftOut, { reason: 'text_empty', count: 5 }] },
      ],
      refusals: [],
    });
    expect((body['warnings'] as readonly { code: string }[]).map((warning) => warning.code)).toEqual([
      'opt_out_hint_missing',
      'field_rarely_present',
    ]);
  });

  test('forecasts with the pace and the quiet hours, and warns of who rolls over and who expires', async () => {
    const { campaign, message } = await draft(4);
    const sender = `/v1/senders/${world.mine.senderId}`;
    await world.owner.query(`update carrier_accounts set requests_max = 1, requests_window_ms = 3240000`);
    await patch(`/v1/campaigns/${campaign}/messages/${message}`, {
      schedule: { local: '2027-01-12T19:00', zone: 'America/New_York' },
      expiresAfterMs: 14 * 3_600_000,
    });
    const { body } = await review(campaign);
    await world.owner.query(`update carrier_accounts set requests_max = 0, requests_window_ms = 5000`);
    expect((await call('GET', sender)).body['segmentsPerSecond']).toBeNull();
    // A request an hour: one text before the night, one after it, and two not before the expiry at nine.
    expect(body['messages']).toMatchObject([
      {
        startsAt: '2027-01-12T19:00:00-05:00',
        endsAt: '2027-01-13T09:00:00-05:00',
        rollsOver: {
          why: 'quiet_hours',
          count: 1,
          closesAt: '2027-01-12T20:00:00-05:00',
          opensAt: '2027-01-13T08:00:00-05:00',
        },
        expires: { count: 2, at: '2027-01-13T09:00:00-05:00' },
      },
    ]);
    expect((body['warnings'] as readonly { code: string }[]).map((warning) => warning.code)).toEqual([
      'forecast_expires',
      'forecast_rolls_over',
    ]);
  });

  test('lists everything that would refuse, reject or suspend the campaign, and gives no token then', async () => {
    const { campaign, message } = await draft(1, { purpose: null });
    await world.operator('POST', '/v1/refused-phrases', {
      body: { phrase: 'sure win', reason: 'It promises.', effectiveFrom: '2026-01-01' },
    });
    await patch(`/v1/campaigns/${campaign}/messages/${message}`, { text: 'A sure win', schedule: null });
    const sender = `/v1/senders/${world.mine.senderId}`;
    await patch(sender, { registration: 'lapsed' });
    const { status, body } = await review(campaign);
    await patch(sender, { registration: 'approved' });
    expect({ status, body }).toMatchObject({
      status: 200,
      body: {
        token: null,
        tokenExpiresAt: null,
        refusals: [
          { pointer: '/purpose', code: 'missing' },
          { pointer: '/messages/0/schedule', code: 'missing' },
          { pointer: '/messages/0/text', code: 'content-refused' },
          { pointer: '/senderId', code: 'registration_lapsed' },
        ],
      },
    });
    expect((await review(campaign, { start: 'now' })).body['refusals']).toMatchObject([
      { pointer: '/purpose' },
      { code: 'content-refused' },
    ]);
  });

  test("warns of trouble with the sender's carrier account until it is over", async () => {
    const { campaign } = await draft(2);
    const { accountId, carrierAccountId } = world.mine;
    const inside = (work: Parameters<typeof withAccount<unknown>>[2]) =>
      withAccount(world.db, accountId, work);
    await inside((trx) => raiseCarrierTrouble(trx, { accountId, carrierAccountId }, 'credit'));
    expect((await review(campaign)).body['warnings']).toMatchObject([
      { code: 'carrier_trouble', message: expect.stringMatching(/insufficient credit.*Top/) },
    ]);
    await inside((trx) =>
      resolveAlerts(trx, { accountId, kind: 'carrier_trouble', subjectId: carrierAccountId }),
    );
    expect((await review(campaign)).body['warnings']).toEqual([]);
  });

  test('warns of a spend limit that is too low, and of an audience of nobody', async () => {
    const { campaign } = await draft(2);
    await patch('/v1/account', { spendLimit: { amountMicro: 2 * one - 1, currency: 'USD' } });
    const { body } = await review(campaign);
    await patch('/v1/account', { spendLimit: null });
    expect(body['warnings']).toMatchObject([{ code: 'spend_limit' }]);
    const { campaign: empty } = await draft(0);
    expect((await review(empty)).body).toMatchObject({
      recipients: 0,
      warnings: [{ code: 'nobody_texted' }],
    });
  });

  test('warns of each hold that would keep it from sending, as its reason says', async () => {
    const { campaign } = await draft(1);
    const reason = 'The sender is being looked at.';
    const hold = await create(world.mine.call, '/v1/holds', {
      scope: 'sender',
      scopeId: world.mine.senderId,
      reason,
    });
    const held = await review(campaign);
    expect(held.body['warnings']).toContainEqual(
      expect.objectContaining({ code: 'held', message: expect.stringContaining(reason) }),
    );
    await world.mine.call('DELETE', `/v1/holds/${hold}`);
    expect((await review(campaign)).body['warnings']).toEqual([]);
  });

  test('warns of another campaign of the sender that shares its pace, not of one that begins when all is done', async () => {
    const { campaign } = await draft(1);
    const other = await draft(1);
    await launch(other.campaign, undefined);
    const codes = async (dueAt: string) => {
      await world.owner.query(
        `update campaigns set status = 'scheduled', prepared_at = now(), first_due_at = $1 where id = $2`,
        [dueAt, other.campaign],
      );
      return (await review(campaign)).body['warnings'];
    };
    expect(await codes('2027-01-12T15:00:00-05:00')).toMatchObject([{ code: 'sender_shared' }]);
    expect(await codes('2027-01-12T16:00:00-05:00')).toEqual([]);
    await post(`/v1/campaigns/${other.campaign}/abort`, {});
  });

  test('is of a draft, a prepared or a stopped campaign, with what it would be ordered with', async () => {
    const { campaign, message } = await draft(1);
    const schedule = { local: '2027-01-14T12:00', zone: 'America/New_York' };
    const asks = { messages: [{ messageId: message, schedule }] };
    expect(await review(campaign, asks)).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '/start' }] },
    });
    expect(await review(campaign, { start: 'now', ...asks })).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '/messages' }] },
    });
    await launch(campaign, undefined);
    expect(await review(campaign)).toMatchObject({ status: 409, body: { code: 'action-not-allowed' } });
    await post(`/v1/campaigns/${campaign}/stop`, {});
    // The engine would have cancelled the message; here nobody does it.
    await world.owner.query(`update messages set status = 'cancelled' where id = '${message}'`);
    expect(await review(campaign)).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '/messages' }] },
    });
    const other = await draft(1);
    expect(await review(campaign, { messages: [{ messageId: other.message, schedule }] })).toMatchObject({
      status: 422,
      body: { code: 'schedule-refused' },
    });
    const restart = await review(campaign, asks);
    expect(restart.body).toMatchObject({ action: 'restart', recipients: 1, refusals: [] });
    const path = `/v1/campaigns/${campaign}/restart`;
    const later = {
      messages: [{ messageId: message, schedule: { ...schedule, local: '2027-01-15T12:00' } }],
    };
    const reviewToken = restart.body['token'];
    expect(await post(path, { ...later, reviewToken })).toMatchObject(stale('schedule'));
    expect(await post(path, { ...asks, reviewToken })).toMatchObject({ status: 202 });
  });
});

describe("a review's token", () => {
  test('lets the launch pass once while nothing has changed, and stands in its order', async () => {
    const { campaign } = await draft(2);
    const token = await tokenOf(campaign);
    const launched = await launch(campaign, token);
    expect(launched.status).toBe(202);
    const { rows } = await world.owner.query('select args from actions where id = $1', [launched.body['id']]);
    expect(rows).toEqual([{ args: { start: 'scheduled', reviewToken: token } }]);
    await world.owner.query(`update campaigns set status = 'draft' where id = '${campaign}'`);
    expect(await launch(campaign, token)).toMatchObject(stale('used'));
  });

  const changes: Readonly<Record<string, (draft: Draft) => Promise<unknown>>> = {
    content: ({ campaign, message }) =>
      patch(`/v1/campaigns/${campaign}/messages/${message}`, {
        text: 'Hi {{firstName}}. Reply STOP to end.',
      }),
    schedule: ({ campaign, message }) =>
      patch(`/v1/campaigns/${campaign}/messages/${message}`, {
        schedule: { local: '2027-01-12T16:00', zone: 'America/New_York' },
      }),
    hours: () => patch('/v1/account', { quietHours: { start: '21:00', end: '07:00' } }),
    sender: () => patch(`/v1/senders/${world.mine.senderId}`, { segmentsPerSecond: 7 }),
    lists: async ({ campaign, list }) => {
      const empty = await create(world.mine.call, '/v1/lists', { name: `Empty ${list}` });
      return patch(`/v1/campaigns/${campaign}`, { listIds: [list, empty] });
    },
  };

  test.each(Object.keys(changes))('is refused when this has changed: %s', async (code) => {
    const own = await draft(2);
    const token = await tokenOf(own.campaign);
    await changes[code]?.(own);
    const before = await world.snapshot();
    expect(await launch(own.campaign, token)).toMatchObject(stale(code));
    expect(await world.snapshot()).toEqual(before);
    await patch(`/v1/senders/${world.mine.senderId}`, { segmentsPerSecond: null });
    expect((await launch(own.campaign, await tokenOf(own.campaign))).status).toBe(202);
  });

  test('is refused when what the account adds to its texts has changed', async () => {
    const { campaign } = await draft(2);
    const token = await tokenOf(campaign);
    await patch('/v1/account', { prefix: 'Harbour: ' });
    expect(await launch(campaign, token)).toMatchObject(stale('content'));
    await patch('/v1/account', { prefix: '' });
    expect((await launch(campaign, token)).status).toBe(202);
  });

  test('is refused when another start is ordered than was reviewed', async () => {
    const { campaign } = await draft(1);
    expect(await launch(campaign, await tokenOf(campaign), 'now')).toMatchObject(stale('schedule'));
  });

  test('allows recipients and cost to differ by five per cent, or by what the account says', async () => {
    const { campaign, list } = await draft(20);
    const token = await tokenOf(campaign);
    await addPeople(list, 2);
    expect(await launch(campaign, token)).toMatchObject(stale('recipients', 'cost'));
    await patch('/v1/account', { reviewTolerancePercent: 10 });
    expect((await launch(campaign, token)).status).toBe(202);

    const { campaign: exact, list: exactList } = await draft(20);
    const exactToken = await tokenOf(exact);
    await patch('/v1/account', { reviewTolerancePercent: 0 });
    await addPeople(exactList, 1);
    expect(await launch(exact, exactToken)).toMatchObject(stale('recipients', 'cost'));
    await patch('/v1/account', { reviewTolerancePercent: 5 });
    expect((await launch(exact, exactToken)).status).toBe(202);
  });

  test('is refused when the same people cost more, since their names need more segments', async () => {
    const { campaign, message, list } = await draft(3);
    await patch(`/v1/campaigns/${campaign}/messages/${message}`, {
      text: `{{firstName}} ${'a'.repeat(150)}`,
    });
    const token = await tokenOf(campaign);
    await withAccount(world.db, world.mine.accountId, (trx) =>
      sql`update contacts c set first_name = 'Maximilian' from list_members m
          where m.contact_id = c.id and m.list_id = ${list}`.execute(trx),
    );
    expect(await launch(campaign, token)).toMatchObject(stale('cost'));
  });

  test('expires', async () => {
    const { campaign } = await draft(1);
    const token = await tokenOf(campaign);
    await world.owner.query('update reviews set expires_at = $1 where id = $2', [new Date(NOON), token]);
    expect(await launch(campaign, token)).toMatchObject(stale('expired'));
  });

  test('of another campaign, of another account or of nobody is unknown', async () => {
    const { campaign } = await draft(1);
    const other = await draft(1);
    const theirs = await createDraft(world.theirs, 'Theirs');
    const foreign = await world.theirs.call('POST', `/v1/campaigns/${theirs.campaign}/review`, {
      body: { start: 'scheduled' },
    });
    const tokens = [await tokenOf(other.campaign), foreign.body['token'], `rvw_${'0'.repeat(26)}`];
    for (const token of tokens) {
      expect(await launch(campaign, token)).toMatchObject({
        status: 422,
        body: { code: 'unknown-reference', errors: [{ pointer: '/reviewToken' }] },
      });
    }
    expect(await launch(campaign, 'rvw_')).toMatchObject({ status: 400 });
  });

  test('is demanded only by an account that says so, for launch, start and restart alike', async () => {
    const { campaign } = await draft(1);
    await patch('/v1/account', { reviewRequired: true });
    const refused = { status: 409, body: { code: 'review-required', errors: [{ pointer: '/reviewToken' }] } };
    expect(await launch(campaign, undefined)).toMatchObject(refused);
    const token = await tokenOf(campaign, { start: 'later' });
    expect((await launch(campaign, token, 'later')).status).toBe(202);
    await world.owner.query(
      `update campaigns set status = 'ready', prepared_at = now() where id = '${campaign}'`,
    );
    expect(await post(`/v1/campaigns/${campaign}/start`, { start: 'now' })).toMatchObject(refused);
    const start = await review(campaign, { start: 'now' });
    expect(start.body).toMatchObject({ action: 'start', messages: [{ dueAt: '2027-01-12T12:00:00-05:00' }] });
    expect(
      (await post(`/v1/campaigns/${campaign}/start`, { start: 'now', reviewToken: start.body['token'] }))
        .status,
    ).toBe(202);
    await patch('/v1/account', { reviewRequired: false });
  });
});

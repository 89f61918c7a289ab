import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { stepCampaign } from '../../db/campaign-step/step-campaign.ts';
import { withAccount } from '../../db/database.ts';
import { type ApiWorld, type CallOptions, NOON, openApiWorld, type Reply, type Tenant } from './api-world.ts';
import { create, createDraft } from './seeded-things.ts';

let world: ApiWorld;
let mine: Tenant;
let campaign: string;
let message: string;
let names = 0;
beforeAll(async () => {
  world = await openApiWorld();
  ({ mine } = world);
});
afterAll(() => world.close());
beforeEach(async () => {
  names += 1;
  ({ campaign, message } = await createDraft(mine, `Campaign ${names}`));
  for (const id of await standing())
    await world.owner.query(`update holds set lifted_at = now() where id = '${id}'`);
  await world.owner.query('update gates set holds = 0');
});

const place = (body: unknown, call = mine.call, options: CallOptions = {}): Promise<Reply> =>
  call('POST', '/v1/holds', { ...options, body });
const hold = (scope: string, scopeId?: string, reason = 'It has to be checked.') => ({
  scope,
  ...(scopeId === undefined ? {} : { scopeId }),
  reason,
});
const lift = (id: unknown, call = mine.call): Promise<Reply> => call('DELETE', `/v1/holds/${String(id)}`);
const gate = async (scopeId: string): Promise<number | undefined> => {
  const { rows } = await world.owner.query<{ holds: number }>('select holds from gates where scope_id = $1', [
    scopeId,
  ]);
  return rows[0]?.holds;
};
const standing = async (): Promise<string[]> => {
  const { rows } = await world.owner.query<{ id: string }>('select id from holds where lifted_at is null');
  return rows.map((row) => row.id);
};
const read = async (): Promise<Record<string, unknown>> =>
  (await mine.call('GET', `/v1/campaigns/${campaign}`)).body;
/** What the workflow does when it is asked. */
const step = () =>
  withAccount(world.db, mine.accountId, (trx) =>
    stepCampaign(trx, {
      accountId: mine.accountId,
      campaignId: campaign,
      at: NOON,
      running: [],
      poked: true,
      signals: [],
      asked: [],
    }),
  );

describe('a hold', () => {
  test.each(['account', 'sender', 'campaign', 'message'] as const)(
    'closes the gate of its %s in the answer, and opens it when it is lifted; a draft has no run to hear of it',
    async (scope) => {
      const scopeId = { account: mine.accountId, sender: mine.senderId, campaign, message }[scope];
      const placed = await place(hold(scope, scope === 'account' ? undefined : scopeId));
      expect(placed).toMatchObject({ status: 201, body: { scope, scopeId, state: 'closed', inFlight: 0 } });
      expect(await gate(scopeId)).toBe(1);
      expect(world.asked.filter((one) => one.endsWith(campaign))).toEqual([]);
      expect((await read())['holds']).toMatchObject([
        { scope, scopeId, kind: 'hold', reason: hold(scope).reason },
      ]);
      expect(await mine.call('GET', String(placed.body['url']))).toMatchObject({
        status: 200,
        body: placed.body,
      });
      expect(await lift(placed.body['id'])).toMatchObject({ status: 200, body: { state: 'lifted' } });
      expect(await gate(scopeId)).toBe(0);
      expect((await read())['holds']).toEqual([]);
    },
  );

  test.each(['campaign', 'message'] as const)('on the %s of a live campaign wakes its run', async (scope) => {
    await world.owner.query(`update campaigns set status = 'started' where id = $1`, [campaign]);
    await place(hold(scope, { campaign, message }[scope]));
    expect(world.asked.filter((one) => one.endsWith(campaign))).toEqual([`wake ${campaign}`]);
  });

  test.each(['installation', 'account', 'sender', 'campaign', 'message'] as const)(
    'on the %s counts a test that is being posted, until it has an answer',
    async (scope) => {
      const call = scope === 'installation' ? world.operator : mine.call;
      const named = { sender: mine.senderId, campaign, message };
      await world.owner.query(
        `insert into test_sends (id, account_id, campaign_id, message_id, sender_id, number_hash, country, kind, media_ids,
           segments, cost_micro_usd, in_quiet_hours, requested_by, state)
         values ($1, $2, $3, $4, $5, '', 'US', 'sms', '{}', 1, 0, false, $2, 'posting')`,
        [`tst_${message}`, mine.accountId, campaign, message, mine.senderId],
      );
      const scopeId = scope === 'installation' || scope === 'account' ? undefined : named[scope];
      const placed = await place(hold(scope, scopeId), call);
      expect(placed).toMatchObject({ status: 202, body: { state: 'closing', inFlight: 1 } });
      await world.owner.query(`update test_sends set state = 'sent'`);
      expect((await call('GET', String(placed.body['url']))).body).toMatchObject({
        state: 'closed',
        inFlight: 0,
      });
    },
  );

  test('on a scope is one of several, each of which is lifted by itself, and once', async () => {
    const first = await place(hold('sender', mine.senderId, 'One.'));
    const second = await place(hold('sender', mine.senderId, 'Two.'));
    expect(await gate(mine.senderId)).toBe(2);
    await lift(first.body['id']);
    await lift(first.body['id']);
    expect(await gate(mine.senderId)).toBe(1);
    expect((await read())['holds']).toMatchObject([{ id: second.body['id'], reason: 'Two.' }]);
    await lift(second.body['id']);
    expect(await gate(mine.senderId)).toBe(0);
  });

  test('of another account is not there, and neither is what it would name', async () => {
    const { body } = await place(hold('campaign', campaign));
    const { call } = world.theirs;
    for (const reply of [
      await call('GET', `/v1/holds/${String(body['id'])}`),
      await lift(body['id'], call),
    ]) {
      expect(reply).toMatchObject({ status: 404, body: { code: 'not-found' } });
    }
    for (const [scope, scopeId] of [
      ['account', mine.accountId],
      ['sender', mine.senderId],
      ['campaign', campaign],
      ['message', message],
      ['message', campaign],
    ] as const) {
      expect(await place(hold(scope, scopeId), call)).toMatchObject({
        status: 422,
        body: { code: 'unknown-reference', errors: [{ pointer: '/scopeId' }] },
      });
    }
    expect(await gate(campaign)).toBe(1);
    expect((await call('GET', '/v1/holds')).body).toMatchObject({ total: 0 });
  });

  test('of the installation is placed and lifted by an operator only, who then names no account', async () => {
    expect(await place(hold('installation'))).toMatchObject({ status: 403, body: { code: 'scope-missing' } });
    const headers = { 'carillon-account': mine.accountId };
    expect(await place(hold('installation'), world.operator, { headers })).toMatchObject({ status: 422 });
    expect(await place(hold('account', mine.accountId), world.operator)).toMatchObject({
      status: 400,
      body: { code: 'account-required' },
    });
    expect(await gate('installation')).toBe(0);

    const placed = await place(hold('installation'), world.operator);
    expect(placed).toMatchObject({ status: 201, body: { scopeId: 'installation', byOperator: true } });
    expect(await gate('installation')).toBe(1);
    expect((await read())['holds']).toMatchObject([{ scope: 'installation', reason: hold('').reason }]);
    expect(await lift(placed.body['id'])).toMatchObject({ status: 404 });
    const list = await world.operator('GET', '/v1/holds?state=standing');
    expect(list.body).toMatchObject({ total: 1, items: [{ id: placed.body['id'] }] });
    expect(await lift(placed.body['id'], world.operator)).toMatchObject({ status: 200 });
    expect(await gate('installation')).toBe(0);
  });

  test('that an operator placed on an account is not lifted by the account', async () => {
    const headers = { 'carillon-account': mine.accountId };
    const { body } = await place(hold('account'), world.operator, { headers });
    expect(await lift(body['id'])).toMatchObject({ status: 403, body: { code: 'operators-hold' } });
    expect(await gate(mine.accountId)).toBe(1);
    const lifted = await world.operator('DELETE', `/v1/holds/${String(body['id'])}`, { headers });
    expect(lifted).toMatchObject({ status: 200, body: { state: 'lifted' } });
  });

  test('is one of a hundred on a scope at most', async () => {
    await world.owner.query(
      `insert into holds (id, account_id, scope, scope_id, kind, reason, placed_by)
       select 'hld_' || n, $1, 'sender', $2, 'hold', 'One.', 'key_1' from generate_series(1, 100) n`,
      [mine.accountId, mine.senderId],
    );
    expect(await place(hold('sender', mine.senderId))).toMatchObject({
      status: 409,
      body: { code: 'too-many-holds' },
    });
    expect(await gate(mine.senderId)).toBe(0);
  });

  test('that was changed since it was read is not lifted unknowingly', async () => {
    const { body } = await place(hold('sender', mine.senderId));
    const id = String(body['id']);
    const path = `/v1/holds/${id}`;
    const etag = (await mine.call('GET', path)).headers.get('etag') ?? '';
    await world.owner.query(`update holds set version = version + 1 where id = '${id}'`);
    expect(await mine.call('DELETE', path, { headers: { 'if-match': etag } })).toMatchObject({
      status: 412,
      body: { code: 'version-mismatch' },
    });
    expect(await gate(mine.senderId)).toBe(1);
  });

  test('is listed by scope and by whether it stands, and stands in the log with who placed and who lifted it', async () => {
    const { body } = await place(hold('message', message));
    await place(hold('campaign', campaign));
    await lift(body['id']);
    const list = async (query: string) => (await mine.call('GET', `/v1/holds?${query}`)).body;
    expect(await list(`scopeId=${message}&state=lifted`)).toMatchObject({ total: 1 });
    expect(await list(`scopeId=${message}&state=standing`)).toMatchObject({ total: 0 });
    expect(await list(`scope=campaign&scopeId=${campaign}`)).toMatchObject({
      total: 1,
      items: [{ campaignId: campaign, kind: 'hold', liftedAt: null }],
    });
    const { rows } = await world.owner.query(
      `select what, campaign_id, detail from log where subject_id = $1 order by id`,
      [body['id']],
    );
    const detail = { scope: 'message', scopeId: message };
    expect(rows).toEqual([
      { what: 'hold', campaign_id: campaign, detail: { ...detail, reason: 'It has to be checked.' } },
      { what: 'lift', campaign_id: campaign, detail },
    ]);
  });
});

test('a hold says by name who placed and who lifted it, and only of an operator nothing but that he did', async () => {
  const person = await create(mine.call, '/v1/people', { name: 'Kim', address: 'kim@example.com' });
  const placed = await place(hold('campaign', campaign), mine.call, {
    headers: { 'carillon-person': person },
  });
  expect(placed.body).toMatchObject({ placedBy: person, placedByName: 'Kim', liftedByName: null });
  const lifted = await lift(placed.body['id']);
  expect(lifted.body).toMatchObject({ placedByName: 'Kim', liftedByName: 'Test' });
  const { body } = await mine.call('GET', `/v1/holds?scopeId=${campaign}`);
  expect(body['items']).toMatchObject([{ placedByName: 'Kim', liftedByName: 'Test' }]);
  const operators = await place(hold('campaign', campaign), world.operator, {
    headers: { 'carillon-account': mine.accountId },
  });
  expect(operators.body).toMatchObject({ byOperator: true, placedByName: null });
});

test('a pause without a reason says so, and names nobody by an id', async () => {
  await mine.call('POST', `/v1/campaigns/${campaign}/launch`, { body: { start: 'scheduled' } });
  await mine.call('POST', `/v1/campaigns/${campaign}/pause`, { body: {} });
  expect(await read()).toMatchObject({
    holds: [{ kind: 'pause', reason: 'It was paused, and no reason was given.' }],
    next: { what: 'resume', why: 'It was paused, and no reason was given.' },
  });
});

describe('a hold on a campaign that runs', () => {
  let id: string;
  beforeEach(async () => {
    await mine.call('POST', `/v1/campaigns/${campaign}/launch`, { body: { start: 'scheduled' } });
    id = await create(mine.call, '/v1/holds', hold('campaign', campaign));
  });

  test('shows as paused, is not resumed past, and opens when the workflow has lifted it', async () => {
    const held = await read();
    expect(held).toMatchObject({ status: 'paused', next: { what: 'lift hold', why: hold('').reason } });
    expect(await mine.call('POST', `/v1/campaigns/${campaign}/resume`, { body: {} })).toMatchObject({
      status: 409,
      body: { code: 'action-not-allowed' },
    });
    expect(await lift(id)).toMatchObject({ status: 202, body: { state: 'lifting' } });
    expect(await gate(campaign)).toBe(1);
    await lift(id);
    await step();
    expect((await mine.call('GET', `/v1/holds/${id}`)).body).toMatchObject({ state: 'lifted' });
    expect(await gate(campaign)).toBe(0);
    expect((await read())['status']).not.toBe('paused');
    const { rows } = await world.owner.query(
      `select state from actions where campaign_id = $1 and name = 'lift'`,
      [campaign],
    );
    expect(rows).toEqual([{ state: 'applied' }]);
  });

  test("stands beside the owner's pause, and each is lifted by itself", async () => {
    await mine.call('POST', `/v1/campaigns/${campaign}/pause`, { body: {} });
    expect((await read())['holds']).toMatchObject([{ kind: 'hold' }, { kind: 'pause' }]);
    await mine.call('POST', `/v1/campaigns/${campaign}/resume`, { body: {} });
    await step();
    expect(await read()).toMatchObject({ status: 'paused', holds: [{ kind: 'hold', id }] });
    await lift(id);
    await step();
    expect((await read())['status']).not.toBe('paused');
  });

  test('leaves a pause that is not its own, which only a resume ends', async () => {
    await mine.call('POST', `/v1/campaigns/${campaign}/pause`, { body: {} });
    const pause = ((await read())['holds'] as { id: string; kind: string }[]).find(
      (one) => one.kind === 'pause',
    );
    expect(await lift(pause?.id)).toMatchObject({ status: 409, body: { code: 'action-not-allowed' } });
    expect(await gate(campaign)).toBe(2);
  });

  test('is not lifted when more than one message would go out at once', async () => {
    await world.owner.query(
      `insert into messages (id, account_id, campaign_id, position, status, due_at)
       select 'msg_second' || $1, $2, $1, 2, 'scheduled', $3`,
      [campaign, mine.accountId, new Date(NOON - 1)],
    );
    await world.owner.query(`update messages set status = 'scheduled', due_at = $2 where campaign_id = $1`, [
      campaign,
      new Date(NOON - 1),
    ]);
    expect(await lift(id)).toMatchObject({ status: 409, body: { code: 'overdue-messages' } });
    await mine.call('POST', `/v1/campaigns/${campaign}/pause`, { body: {} });
    expect(await lift(id)).toMatchObject({ status: 202 });
    await step();
    expect(await read()).toMatchObject({ status: 'paused', holds: [{ kind: 'pause' }] });
  });
});

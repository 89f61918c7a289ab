import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { withAccount } from '../../db/database.ts';
import { lockOpenGates } from '../../db/gates.ts';
import { SUB_ACCOUNTS_MAX } from '../../db/sub-accounts.ts';
import { type ApiWorld, openApiWorld, type Reply, type Tenant } from './api-world.ts';
import { createDraft } from './seeded-things.ts';

let world: ApiWorld;
/** Somebody's parent, with a sub-account that has a key of its own. */
let parent: Tenant;
let child: Tenant;

beforeAll(async () => {
  world = await openApiWorld();
});
beforeEach(async () => {
  parent = await world.openTenant();
  child = await world.openTenant();
  await adopt(child.accountId, parent.accountId);
});
afterAll(() => world.close());

const BAKERY = {
  name: 'Harbour Bakery, Reno',
  timeZone: 'America/Los_Angeles',
  senderName: 'Harbour Reno',
  defaultCountry: 'US',
};

function adopt(accountId: string, parentId: string | null): Promise<Reply> {
  return world.operator('PUT', `/v1/accounts/${accountId}/parent`, { body: { parentId } });
}

const answerOf = ({ status, body }: Reply): string =>
  status < 400 ? String(status) : `${status} ${String(body['code'])}`;

/** Whether anything of the account may be sent. */
function isOpen({ accountId }: Tenant): Promise<boolean> {
  return withAccount(world.db, accountId, (trx) => lockOpenGates(trx, [accountId]));
}

const disable = (caller: Tenant, id: string) =>
  caller.call('POST', `/v1/accounts/${id}/disable`, { body: { reason: 'The branch has closed.' } });
const enable = (caller: Tenant, id: string) => caller.call('POST', `/v1/accounts/${id}/enable`);

describe('sub-accounts', () => {
  test('are made and listed by their parent, with settings of their own, and by nobody else', async () => {
    const made = await parent.call('POST', '/v1/sub-accounts', { body: BAKERY });
    expect(made).toMatchObject({ status: 201, body: { ...BAKERY, parentId: parent.accountId } });
    const id = String(made.body['id']);
    const listed = await parent.call('GET', '/v1/sub-accounts?sort=name');
    expect(listed.body).toMatchObject({
      total: 2,
      items: [{ id: child.accountId }, { id, senderName: 'Harbour Reno', reportsGranted: false }],
    });
    const found = await parent.call('GET', '/v1/sub-accounts?q=reno&pageSize=1');
    expect(found.body).toMatchObject({ total: 1, items: [{ id }] });
    const others = await world.theirs.call('GET', '/v1/sub-accounts');
    expect(others.body).toMatchObject({ total: 0, items: [] });
    const as = { headers: { 'carillon-account': id } };
    const list = await parent.call('POST', '/v1/lists', { body: { name: 'Guests' }, ...as });
    expect(list.status).toBe(201);
    expect((await parent.call('GET', '/v1/lists?q=guests')).body['total']).toBe(0);
    const log = await parent.call('GET', `/v1/log?subjectId=${id}`);
    expect(log.body['items']).toMatchObject([{ what: 'create', subject: { kind: 'account', id } }]);
  });

  test('are made once for a repeated request', async () => {
    const headers = { 'idempotency-key': 'once' };
    const first = await parent.call('POST', '/v1/sub-accounts', { body: BAKERY, headers });
    const second = await parent.call('POST', '/v1/sub-accounts', { body: BAKERY, headers });
    expect(second.body).toEqual(first.body);
    expect((await parent.call('GET', '/v1/sub-accounts')).body['total']).toBe(2);
  });

  test('have no sub-accounts themselves, whichever way somebody tries', async () => {
    const other = await world.openTenant();
    expect(answerOf(await child.call('POST', '/v1/sub-accounts', { body: BAKERY }))).toBe('409 has-parent');
    expect(answerOf(await adopt(other.accountId, child.accountId))).toBe('409 has-parent');
    expect(answerOf(await adopt(parent.accountId, other.accountId))).toBe('409 has-sub-accounts');
    expect(answerOf(await adopt(other.accountId, other.accountId))).toBe('422 not-acceptable-value');
    const nobody = `acc_${'0'.repeat(26)}`;
    expect(answerOf(await adopt(other.accountId, nobody))).toBe('422 unknown-reference');
    expect(answerOf(await adopt(nobody, other.accountId))).toBe('404 not-found');
  });

  test('are so many at most, also for two that come at once, until one of them has left', async () => {
    // The parent has one already, and is to have room for one more.
    await world.owner.query(
      `insert into accounts (id, name, time_zone, sender_name, default_country, countries, parent_id)
       select 'acc_' || lpad(n::text, 26, '0'), 'Branch ' || n, 'UTC', 'Branch', 'US', '{US}', $1
       from generate_series(1, $2::int) n`,
      [parent.accountId, SUB_ACCOUNTS_MAX - 2],
    );
    const other = await world.openTenant();
    const make = () => parent.call('POST', '/v1/sub-accounts', { body: BAKERY });
    const atOnce = await Promise.all([make(), adopt(other.accountId, parent.accountId), make()]);
    const answers = atOnce.map(answerOf);
    const beyond = '422 not-acceptable-value';
    expect(answers.filter((answer) => answer === beyond)).toHaveLength(2);
    expect((await parent.call('GET', '/v1/sub-accounts?pageSize=1')).body['total']).toBe(SUB_ACCOUNTS_MAX);
    expect(String((await make()).body['detail'])).toContain('leave-parent');
    const another = await world.openTenant();
    expect(answerOf(await adopt(another.accountId, parent.accountId))).toBe(beyond);
    expect((await another.call('GET', '/v1/account')).body['parentId']).toBeNull();
    // Whoever is there already is no one more.
    expect(answerOf(await adopt(child.accountId, parent.accountId))).toBe('200');
    await child.call('POST', '/v1/account/leave-parent');
    expect((await make()).status).toBe(201);
  });

  test('of which two become each other’s parent at once do not exist', async () => {
    const one = await world.openTenant();
    const other = await world.openTenant();
    const answers = await Promise.all([
      adopt(one.accountId, other.accountId),
      adopt(other.accountId, one.accountId),
    ]);
    expect(answers.map(answerOf).toSorted()).toEqual(['200', expect.stringMatching(/^409/)]);
  });
});

describe('Central Send', () => {
  const set = (accountId: string, enabled: boolean) =>
    world.operator('PUT', `/v1/accounts/${accountId}/central-send`, { body: { enabled } });

  test('is enabled by an operator, for accounts that are nobody’s sub-account', async () => {
    expect((await parent.call('GET', '/v1/account')).body['centralSend']).toBe(false);
    expect((await set(parent.accountId, true)).body['centralSend']).toBe(true);
    expect((await parent.call('GET', '/v1/account')).body['centralSend']).toBe(true);
    expect(answerOf(await set(child.accountId, true))).toBe('409 has-parent');
    const log = await parent.call('GET', '/v1/log?what=central_send.enable');
    expect(log.body['items']).toMatchObject([{ by: { kind: 'operator' } }]);
    expect((await set(parent.accountId, false)).body['centralSend']).toBe(false);
  });
});

describe('a disabled account', () => {
  test('sends nothing and is read only, until its parent enables it and its campaigns go on', async () => {
    const { campaign } = await createDraft(child, 'Spring sale');
    await child.call('POST', `/v1/campaigns/${campaign}/launch`, { body: { start: 'scheduled' } });
    await world.owner.query(`update campaigns set status = 'started' where id = $1`, [campaign]);
    expect(await isOpen(child)).toBe(true);
    const disabled = await disable(parent, child.accountId);
    expect(disabled).toMatchObject({ status: 200, body: { disabledReason: 'The branch has closed.' } });
    expect(await isOpen(child)).toBe(false);
    expect((await child.call('GET', '/v1/account')).body['disabledAt']).toEqual(expect.any(String));
    expect(answerOf(await child.call('POST', '/v1/lists', { body: { name: 'New' } }))).toBe(
      '403 account-disabled',
    );
    expect(answerOf(await disable(parent, child.accountId))).toBe('409 action-not-allowed');
    const [hold] = (await child.call('GET', '/v1/holds')).body['items'] as { readonly id: string }[];
    expect(hold).toMatchObject({ scope: 'account', kind: 'disable', reason: 'The branch has closed.' });
    const lifted = await world.operator('DELETE', `/v1/holds/${hold?.id ?? ''}`, {
      headers: { 'carillon-account': child.accountId },
    });
    expect(answerOf(lifted)).toBe('409 action-not-allowed');
    expect(String(lifted.body['detail'])).toContain('enable');
    expect((await parent.call('GET', '/v1/sub-accounts?state=disabled')).body['total']).toBe(1);

    expect((await enable(parent, child.accountId)).body['disabledAt']).toBeNull();
    expect(await isOpen(child)).toBe(true);
    expect((await child.call('POST', '/v1/lists', { body: { name: 'New' } })).status).toBe(201);
    expect(world.asked).toContain(`wake ${campaign}`);
    expect(answerOf(await enable(parent, child.accountId))).toBe('409 action-not-allowed');
  });

  test('is enabled by operators only if one of them has disabled it', async () => {
    const path = `/v1/accounts/${child.accountId}`;
    const body = { reason: 'Its texts are under review.' };
    expect((await world.operator('POST', `${path}/disable`, { body })).status).toBe(200);
    expect(answerOf(await enable(parent, child.accountId))).toBe('403 operators-hold');
    expect((await world.operator('POST', `${path}/enable`)).status).toBe(200);
    expect(await isOpen(child)).toBe(true);
  });

  test('is disabled by no account that is not its parent, be it the account itself', async () => {
    for (const caller of [child, world.theirs]) {
      expect(answerOf(await disable(caller, child.accountId))).toBe('404 not-found');
    }
    expect(answerOf(await disable(child, parent.accountId))).toBe('404 not-found');
  });
});

describe('a sub-account', () => {
  test('leaves its parent, which then can neither act for it nor see anything of it', async () => {
    await child.call('PUT', '/v1/account/grants', { body: { reports: true } });
    const as = { headers: { 'carillon-account': child.accountId } };
    expect((await parent.call('GET', '/v1/campaigns', as)).status).toBe(200);
    const left = await child.call('POST', '/v1/account/leave-parent');
    expect(left).toMatchObject({ status: 200, body: { parentId: null } });
    expect((await parent.call('GET', '/v1/campaigns', as)).status).toBe(404);
    expect((await parent.call('GET', '/v1/account', as)).status).toBe(404);
    const log = await parent.call('GET', '/v1/log?what=sub_account.leave');
    expect(log.body['items']).toMatchObject([{ subject: { kind: 'account', id: child.accountId } }]);
    expect(answerOf(await child.call('POST', '/v1/account/leave-parent'))).toBe('409 no-parent');
    const grant = await child.call('PUT', '/v1/account/grants', { body: { reports: true } });
    expect(answerOf(grant)).toBe('409 no-parent');
  });

  test('that comes back has granted nothing of what it had granted before', async () => {
    await child.call('PUT', '/v1/account/grants', { body: { reports: true } });
    await child.call('POST', '/v1/account/leave-parent');
    await adopt(child.accountId, parent.accountId);
    expect((await child.call('GET', '/v1/account/grants')).body).toEqual({
      reports: false,
      parentId: parent.accountId,
    });
  });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBranch, openParent, pairOf } from '../presets/franchise.ts';
import { type ApiWorld, openApiWorld, type Reply, type Tenant } from './api-world.ts';
import { launchCentral } from './launched-central.ts';
import { create } from './seeded-things.ts';

const SCHEDULE = { local: '2027-01-13T12:00', zone: 'America/New_York' };

let world: ApiWorld;
let parent: Tenant;

beforeAll(async () => {
  world = await openApiWorld();
  parent = await openParent(world);
});
afterAll(() => world.close());

/** A sub-account with one contact in its list. */
async function openSending(name: string): Promise<Tenant> {
  const branch = await openBranch(world, parent, name);
  const contact = await create(branch.call, '/v1/contacts', { number: '+12125552001' });
  await branch.call('POST', `/v1/lists/${branch.listId}/members`, { body: { contactIds: [contact] } });
  return branch;
}

/** A central campaign that was stopped after it had been handed to these. */
async function stopped(name: string, branches: readonly Tenant[]): Promise<string> {
  const pairs = branches.map(pairOf);
  const id = await launchCentral(world, parent, pairs, { name, dueAt: '2027-01-12T18:00' });
  await world.owner.query(`update campaigns set status = 'stopped' where central_id = $1 or id = $1`, [id]);
  await world.owner.query(
    `update messages set status = 'cancelled' where campaign_id in (
       select c.id from campaigns c where c.central_id = $1 or c.id = $1)`,
    [id],
  );
  return id;
}

async function restartOf(id: string): Promise<{ messages: readonly unknown[] }> {
  const { body } = await parent.call('GET', `/v1/campaigns/${id}`);
  const [message] = body['messages'] as readonly { readonly id: string }[];
  return { messages: [{ messageId: message?.id, schedule: SCHEDULE }] };
}

async function review(id: string): Promise<Reply> {
  return parent.call('POST', `/v1/campaigns/${id}/review`, { body: await restartOf(id) });
}

const disable = ({ accountId }: Tenant): Promise<Reply> =>
  parent.call('POST', `/v1/accounts/${accountId}/disable`, { body: { reason: 'It has closed.' } });

test('a review of a restart tells of the parts that were stopped, whatever their preset has become', async () => {
  const [done, open] = [await openSending('Done'), await openSending('Open')];
  const id = await stopped('Stopped', [done, open]);
  const finish = `update campaigns set status = 'finished' where central_id = $1 and account_id = $2`;
  await world.owner.query(finish, [id, done.accountId]);
  const { body: campaign } = await parent.call('GET', `/v1/campaigns/${id}`);
  const { presetId } = campaign['central'] as { readonly presetId: string };
  expect((await parent.call('DELETE', `/v1/presets/${presetId}`)).status).toBe(204);
  const reviewed = await review(id);
  expect(reviewed).toMatchObject({
    status: 200,
    body: {
      action: 'restart',
      recipients: 1,
      refusals: [],
      central: { accounts: 1, lists: 1, ready: 1, items: [{ accountId: open.accountId, recipients: 1 }] },
    },
  });
  expect(reviewed.body['token']).toEqual(expect.any(String));
});

test('a review of a restart warns of each account, as that of a launch does', async () => {
  const branches = {
    fine: await openSending('Fine'),
    listGone: await openSending('Without its list'),
    broke: await openSending('Without credit'),
    disabled: await openSending('Disabled'),
    left: await openSending('Left'),
    enabled: await openSending('Enabled again'),
  };
  const id = await stopped('Warned', Object.values(branches));
  const { listGone, broke, disabled, left, enabled } = branches;
  await listGone.call('DELETE', `/v1/lists/${listGone.listId}`);
  await world.owner.query('update accounts set spend_limit_micro_usd = 0 where id = $1', [broke.accountId]);
  await disable(disabled);
  await left.call('POST', '/v1/account/leave-parent');
  // Its part has ended with it, and a restart does not concern it any more.
  await disable(enabled);
  await parent.call('POST', `/v1/accounts/${enabled.accountId}/enable`, { body: {} });

  const reviewed = await review(id);
  expect(reviewed.body).toMatchObject({
    refusals: [],
    recipients: 2,
    central: { accounts: 5, ready: 3, faulty: 4 },
  });
  const { body } = await parent.call(
    'GET',
    `/v1/campaigns/${id}/reviews/${String(reviewed.body['token'])}/accounts`,
  );
  const items = body['items'] as readonly {
    readonly accountId: string;
    readonly warnings: readonly { readonly code: string }[];
  }[];
  const found = items.map(({ accountId, warnings }) => {
    const name = Object.entries(branches).find(([, branch]) => branch.accountId === accountId)?.[0] ?? '';
    return [name, warnings.map(({ code }) => code)];
  });
  expect(Object.fromEntries(found)).toEqual({
    fine: [],
    listGone: ['list_gone', 'nobody'],
    broke: ['no_credit'],
    disabled: ['account_disabled'],
    left: ['account_left'],
  });
});

test('a restart of which no account can be sent for is refused, when it is reviewed and when it is ordered', async () => {
  const branch = await openSending('The only one');
  const id = await stopped('Of nobody', [branch]);
  const { body } = await review(id);
  expect(body).toMatchObject({ token: expect.any(String), refusals: [] });
  await disable(branch);
  expect((await review(id)).body).toMatchObject({
    token: null,
    refusals: [{ pointer: '/messages', code: 'no-account-left' }],
    central: { accounts: 1, ready: 0 },
  });
  const order = { ...(await restartOf(id)), reviewToken: body['token'] };
  const refused = await parent.call('POST', `/v1/campaigns/${id}/restart`, { body: order });
  expect(refused).toMatchObject({
    status: 422,
    body: { errors: [{ pointer: '/messages', code: 'no-account-left' }] },
  });
});

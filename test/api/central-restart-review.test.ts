import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiWorld, openApiWorld, type Tenant } from './api-world.ts';
import { launchCentral } from './launched-central.ts';
import { create } from './seeded-things.ts';

let world: ApiWorld;
let parent: Tenant;
let children: Tenant[];

beforeAll(async () => {
  world = await openApiWorld();
  parent = await world.openTenant();
  children = [await world.openTenant(), await world.openTenant()];
  const enabled = { body: { enabled: true } };
  await world.operator('PUT', `/v1/accounts/${parent.accountId}/central-send`, enabled);
  for (const child of children) {
    const joined = { body: { parentId: parent.accountId } };
    await world.operator('PUT', `/v1/accounts/${child.accountId}/parent`, joined);
    const contact = await create(child.call, '/v1/contacts', { number: '+12125552001' });
    await child.call('POST', `/v1/lists/${child.listId}/members`, { body: { contactIds: [contact] } });
  }
});
afterAll(() => world.close());

test('a review of a restart tells of the parts that were stopped, whatever their preset has become', async () => {
  const [done, stopped] = children;
  const id = await launchCentral(world, parent, children, { name: 'Stopped', dueAt: '2027-01-12T18:00' });
  const finish = `update campaigns set status = $1 where central_id = $2 and account_id = $3`;
  await world.owner.query(finish, ['finished', id, done?.accountId]);
  await world.owner.query(finish, ['stopped', id, stopped?.accountId]);
  await world.owner.query(`update campaigns set status = 'stopped' where id = $1`, [id]);
  await world.owner.query(`update messages set status = 'cancelled' where campaign_id = $1`, [id]);
  const { body: campaign } = await parent.call('GET', `/v1/campaigns/${id}`);
  const { presetId } = campaign['central'] as { readonly presetId: string };
  expect((await parent.call('DELETE', `/v1/presets/${presetId}`)).status).toBe(204);
  const [message] = campaign['messages'] as readonly { readonly id: string }[];
  const schedule = { local: '2027-01-13T12:00', zone: 'America/New_York' };
  const review = await parent.call('POST', `/v1/campaigns/${id}/review`, {
    body: { messages: [{ messageId: message?.id, schedule }] },
  });
  expect(review).toMatchObject({
    status: 200,
    body: {
      action: 'restart',
      recipients: 1,
      refusals: [],
      central: { accounts: 1, lists: 1, ready: 1, items: [{ accountId: stopped?.accountId, recipients: 1 }] },
    },
  });
  expect(review.body['token']).toEqual(expect.any(String));
});

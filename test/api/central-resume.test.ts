import { afterAll, beforeAll, expect, test } from 'vitest';
import { stepCentral } from '../../db/central/step-central.ts';
import { withAccount } from '../../db/database.ts';
import { type ApiWorld, NOON, openApiWorld, type Reply, type Tenant } from './api-world.ts';
import { launchCentral, launchUnprepared } from './launched-central.ts';

let world: ApiWorld;
let parent: Tenant;

beforeAll(async () => {
  world = await openApiWorld();
  parent = await world.openTenant();
  const enabled = { body: { enabled: true } };
  await world.operator('PUT', `/v1/accounts/${parent.accountId}/central-send`, enabled);
});
afterAll(() => world.close());

interface MessageOfCampaign {
  readonly id: string;
  readonly status: string;
}

/** A sub-account of the parent, in the parent's own zone unless another is named. */
async function openSubAccount(timeZone?: string): Promise<Tenant> {
  const child = await world.openTenant();
  const joined = { body: { parentId: parent.accountId } };
  await world.operator('PUT', `/v1/accounts/${child.accountId}/parent`, joined);
  if (timeZone !== undefined) await child.call('PATCH', '/v1/account', { body: { timeZone } });
  return child;
}

async function messagesOf(id: string): Promise<readonly MessageOfCampaign[]> {
  const { body } = await parent.call('GET', `/v1/campaigns/${id}`);
  return body['messages'] as readonly MessageOfCampaign[];
}

/** A resume without a word is refused and names each of these messages; with a word for each it is taken. */
async function expectResumeToAsk(id: string, messages: readonly MessageOfCampaign[]): Promise<void> {
  const resume = (body: unknown) => parent.call('POST', `/v1/campaigns/${id}/resume`, { body });
  expect(await resume({})).toMatchObject({
    status: 409,
    body: {
      code: 'overdue-messages',
      errors: messages.map((one) => ({ pointer: '/overdue', message: `Say what becomes of ${one.id}.` })),
    },
  });
  const overdue = messages.map((one) => ({ messageId: one.id, do: 'skip' }));
  expect((await resume({ overdue })).status).toBe(202);
}

test('a resume with a new local time, or a retry, looks at it in the zone of each account, as a reschedule does', async () => {
  const child = await openSubAccount('Asia/Tokyo');
  const id = await launchCentral(world, parent, [child], {
    name: 'At noon everywhere',
    dueAt: '2027-01-14T12:00',
    timing: 'local_time',
  });
  const [message] = await messagesOf(id);
  expect((await parent.call('POST', `/v1/campaigns/${id}/pause`)).status).toBe(202);
  const resume = (local: string, zone: string): Promise<Reply> =>
    parent.call('POST', `/v1/campaigns/${id}/resume`, {
      body: { overdue: [{ messageId: message?.id, schedule: { local, zone } }] },
    });

  // It is the thirteenth in Tokyo already.
  expect(await resume('2027-01-12T15:00', 'America/New_York')).toMatchObject({
    status: 422,
    body: { code: 'schedule-refused', errors: [{ pointer: '/overdue/0/schedule', code: 'schedule-past' }] },
  });
  // Morning where the parent is when it is this time in Tokyo, yet late in the evening of the parent's own day.
  expect(await resume('2027-01-14T22:30', 'Asia/Tokyo')).toMatchObject({
    status: 422,
    body: { code: 'quiet-hours', errors: [{ pointer: '/overdue/0/schedule' }] },
  });
  expect((await resume('2027-01-14T10:00', 'Asia/Tokyo')).status).toBe(202);

  // The same of the account alone, which is not to be tried again, but for its time.
  const retry = (local: string, zone: string): Promise<Reply> =>
    parent.call('POST', `/v1/campaigns/${id}/accounts/${child.accountId}/retry`, {
      body: { overdue: [{ messageId: message?.id, schedule: { local, zone } }] },
    });
  expect(await retry('2027-01-12T15:00', 'America/New_York')).toMatchObject({
    status: 422,
    body: { code: 'schedule-refused', errors: [{ pointer: '/overdue/0/schedule', code: 'schedule-past' }] },
  });
  expect((await retry('2027-01-14T10:00', 'Asia/Tokyo')).status).toBe(409);
});

test('a reschedule looks at a local time in the zone that an account has moved to since the launch', async () => {
  const child = await openSubAccount();
  const id = await launchCentral(world, parent, [child], {
    name: 'Before it moved',
    dueAt: '2027-01-14T12:00',
    timing: 'local_time',
  });
  await child.call('PATCH', '/v1/account', { body: { timeZone: 'Asia/Tokyo' } });
  const { body: accounts } = await parent.call('GET', `/v1/campaigns/${id}/accounts`);
  expect(accounts['items']).toMatchObject([{ timeZone: 'Asia/Tokyo' }]);
  const [message] = await messagesOf(id);
  // It is noon in New York, and the thirteenth in Tokyo already.
  const schedule = { local: '2027-01-12T15:00', zone: 'America/New_York' };
  const moved = await parent.call('POST', `/v1/campaigns/${id}/reschedule`, {
    body: { messages: [{ messageId: message?.id, schedule }] },
  });
  expect(moved).toMatchObject({
    status: 422,
    body: { code: 'schedule-refused', errors: [{ pointer: '/messages/0/schedule', code: 'schedule-past' }] },
  });
  expect(JSON.stringify(moved.body['errors'])).toContain('Asia/Tokyo');
});

test('a resume of one that was paused before it was prepared names the messages that are overdue by then', async () => {
  const child = await openSubAccount();
  const { accountId } = parent;
  const times = { dueAt: '2027-01-12T13:00', thenAt: '2027-01-12T14:00' };
  const id = await launchUnprepared(world, parent, [child], { name: 'Paused at once', ...times });
  const messages = await messagesOf(id);
  expect((await parent.call('POST', `/v1/campaigns/${id}/pause`)).status).toBe(202);
  const step = { accountId, campaignId: id, at: NOON, running: [], handing: 0, signals: [], asked: [] };
  await withAccount(world.db, accountId, (trx) => stepCentral(trx, step));

  world.clock.at = NOON + 2.5 * 3_600_000;
  await expectResumeToAsk(id, messages);
});

test('a resume names the messages that became due in a later zone while it was held, after they had begun in the first', async () => {
  const { accountId } = parent;
  const children = [await openSubAccount('America/New_York'), await openSubAccount('America/Los_Angeles')];
  const hours = (count: number): number => NOON + count * 3_600_000;
  world.clock.at = NOON;
  const id = await launchCentral(world, parent, children, {
    name: 'Held before the west',
    dueAt: '2027-01-12T13:00',
    thenAt: '2027-01-12T14:00',
    timing: 'local_time',
  });
  const step = { accountId, campaignId: id, running: [], handing: 0, signals: [], asked: [] };
  for (const at of [hours(1), hours(2)]) {
    await withAccount(world.db, accountId, (trx) => stepCentral(trx, { ...step, at }));
  }
  const messages = await messagesOf(id);
  expect(messages.map(({ status }) => status)).toEqual(['sending', 'sending']);
  world.clock.at = hours(2.5);
  const held = await world.operator('POST', '/v1/holds', {
    headers: { 'carillon-account': accountId },
    body: { scope: 'campaign', scopeId: id, reason: 'It has to be looked at.' },
  });
  expect(held.status).toBe(201);
  // Held without a break, so that what became due before the pause has not begun either.
  world.clock.at = hours(4.25);
  expect((await parent.call('POST', `/v1/campaigns/${id}/pause`)).status).toBe(202);

  world.clock.at = hours(5.5);
  await expectResumeToAsk(id, messages);
});

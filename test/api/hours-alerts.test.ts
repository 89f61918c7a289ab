import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyMessageOrders } from '../../db/campaign-step/message-orders.ts';
import { withAccount } from '../../db/database.ts';
import { type ApiWorld, NOON, openApiWorld, type Tenant } from './api-world.ts';
import { create, createDraft } from './seeded-things.ts';

let world: ApiWorld;
beforeAll(async () => {
  world = await openApiWorld();
});
afterAll(() => world.close());

/** A launched campaign whose only message is due at three in the afternoon, three hours from now. */
async function scheduled(
  tenant: Tenant,
  start = 'scheduled',
): Promise<{ campaign: string; message: string }> {
  const ids = await createDraft(tenant, 'Afternoon');
  await create(tenant.call, `/v1/campaigns/${ids.campaign}/launch`, { start });
  return ids;
}

async function open(tenant: Tenant): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const { body } = await tenant.call('GET', '/v1/alerts?kind=hours_changed&state=open');
  return body['items'] as readonly Readonly<Record<string, unknown>>[];
}

async function change(tenant: Tenant, start: string, end: string, more: object = {}): Promise<void> {
  const reply = await tenant.call('PATCH', '/v1/account', { body: { quietHours: { start, end }, ...more } });
  expect(reply.status).toBe(200);
}

test('a message that waits because hours were changed needs somebody, and no longer once they are back', async () => {
  const tenant = await world.openTenant();
  const { campaign, message } = await scheduled(tenant);
  await change(tenant, '21:00', '09:00');
  expect(await open(tenant)).toEqual([]);
  await change(tenant, '14:00', '18:00');
  expect(await open(tenant)).toMatchObject([
    {
      severity: 'warning',
      subject: { kind: 'message', id: message },
      campaignId: campaign,
      reason:
        "The account's hours were changed, so this message waits until 2027-01-12T18:00:00-05:00 instead of 2027-01-12T15:00:00-05:00.",
      remedy: 'Reschedule the message, or change the hours back.',
      count: 1,
    },
  ]);
  expect((await tenant.call('GET', `/v1/campaigns/${campaign}`)).body['alerts']).toHaveLength(1);
  await change(tenant, '14:00', '18:00', { name: 'Renamed' });
  expect(await open(tenant)).toMatchObject([{ count: 1 }]);
  await change(tenant, '20:00', '08:00');
  expect(await open(tenant)).toEqual([]);
});

test('a changed zone counts as changed hours', async () => {
  const tenant = await world.openTenant();
  await scheduled(tenant);
  // Three in the afternoon in New York is nine in the evening in Paris.
  const reply = await tenant.call('PATCH', '/v1/account', { body: { timeZone: 'Europe/Paris' } });
  expect(reply.status).toBe(200);
  expect(await open(tenant)).toHaveLength(1);
});

test('a message that would expire before it may go out is critical', async () => {
  const tenant = await world.openTenant();
  const { campaign, message } = await scheduled(tenant);
  await tenant.call('PATCH', `/v1/campaigns/${campaign}/messages/${message}`, {
    body: { expiresAfterMs: 3_600_000 },
  });
  await change(tenant, '14:00', '18:00');
  expect(await open(tenant)).toMatchObject([{ severity: 'critical' }]);
});

test.each([
  [
    'rescheduled',
    (tenant: Tenant, ids: { campaign: string; message: string }) =>
      withAccount(world.db, tenant.accountId, (trx) =>
        applyMessageOrders(
          trx,
          ids.campaign,
          [{ messageId: ids.message, do: 'schedule', local: '2027-01-12T19:00', zone: 'America/New_York' }],
          NOON,
        ),
      ),
  ],
  [
    'stopped',
    (tenant: Tenant, { campaign }: { campaign: string }) =>
      tenant.call('POST', `/v1/campaigns/${campaign}/stop`, { body: {} }),
  ],
  [
    'deleted',
    (tenant: Tenant, { campaign }: { campaign: string }) =>
      tenant.call('DELETE', `/v1/campaigns/${campaign}`),
  ],
])('it needs nobody any more once it is %s', async (_how, mend) => {
  const tenant = await world.openTenant();
  const ids = await scheduled(tenant);
  await change(tenant, '14:00', '18:00');
  expect(await open(tenant)).toHaveLength(1);
  await mend(tenant, ids);
  expect(await open(tenant)).toEqual([]);
});

test('drafts, and campaigns of another account, are not concerned', async () => {
  const [tenant, other] = [await world.openTenant(), await world.openTenant()];
  await createDraft(tenant, 'Draft');
  await scheduled(other);
  await change(tenant, '14:00', '18:00');
  expect([await open(tenant), await open(other)]).toEqual([[], []]);
});

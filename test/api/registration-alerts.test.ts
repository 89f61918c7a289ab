import { afterAll, beforeAll, expect, test } from 'vitest';
import { watchRegistrations } from '../../db/registration-alerts.ts';
import { type ApiWorld, NOON, openApiWorld, type Tenant } from './api-world.ts';

interface AlertBody {
  readonly cause: string;
  readonly severity: string;
  readonly reason: string;
  readonly count: number;
}

const DAY_MS = 86_400_000;
/** Days from the day that the API believes in. */
const day = (days: number): string => new Date(NOON + days * DAY_MS).toISOString().slice(0, 10);

let world: ApiWorld;
beforeAll(async () => {
  world = await openApiWorld();
});
afterAll(() => world.close());

async function open(tenant: Tenant): Promise<AlertBody[]> {
  const { body } = await tenant.call('GET', '/v1/alerts?kind=registration_lapsing&state=open');
  return body['items'] as AlertBody[];
}
const change = (tenant: Tenant, body: unknown) =>
  tenant.call('PATCH', `/v1/senders/${tenant.senderId}`, { body });

test('a sender keeps the last day of its registration, and refuses one that is over', async () => {
  const tenant = await world.openTenant();
  const made = await tenant.call('POST', '/v1/senders', {
    body: {
      address: '54321',
      type: 'short_code',
      registration: 'approved',
      registrationExpiresOn: day(400),
    },
  });
  expect(made).toMatchObject({ status: 201, body: { registrationExpiresOn: day(400) } });
  const over = await change(tenant, { registrationExpiresOn: day(-1) });
  expect(over).toMatchObject({
    status: 422,
    body: { code: 'not-acceptable-value', errors: [{ pointer: '/registrationExpiresOn' }] },
  });
  for (const [body, status] of [
    [{ registrationExpiresOn: 'soon' }, 400],
    [{ registrationExpiresOn: '2027-02-30' }, 400],
    [{ registrationExpiresOn: day(0) }, 200],
    [{ registrationExpiresOn: null }, 200],
  ] as const) {
    const reply = await change(tenant, body);
    expect([body, reply.status]).toEqual([body, status]);
  }
});

test('two weeks before the last day somebody is told, once, until it is renewed', async () => {
  const tenant = await world.openTenant();
  await change(tenant, { registrationExpiresOn: day(14) });
  expect(await open(tenant)).toEqual([]);
  expect(await watchRegistrations(world.db, NOON, 100)).toEqual([]);
  expect(await open(tenant)).toEqual([]);
  // A day later it is near, and repair looks every 30 s.
  for (const minutes of [0, 1, 2]) {
    await watchRegistrations(world.db, NOON + DAY_MS + minutes * 60_000, 100);
  }
  expect(await open(tenant)).toMatchObject([
    { cause: 'registration_expires', severity: 'warning', count: 1 },
  ]);
  expect((await open(tenant))[0]?.reason).toContain(day(14));
  const view = await tenant.call('POST', '/v1/campaigns', { body: { senderId: tenant.senderId } });
  expect(view.body['alerts']).toMatchObject([{ cause: 'registration_expires' }]);
  await change(tenant, { registrationExpiresOn: day(380) });
  expect(await open(tenant)).toEqual([]);
});

test('a last day that is near already when it is given is told at once, and not of a sender that is disabled', async () => {
  const tenant = await world.openTenant();
  await change(tenant, { registrationExpiresOn: day(3) });
  expect(await open(tenant)).toHaveLength(1);
  await change(tenant, { disabled: true });
  expect(await open(tenant)).toEqual([]);
  await watchRegistrations(world.db, NOON, 100);
  expect(await open(tenant)).toEqual([]);
  await change(tenant, { disabled: false });
  expect(await open(tenant)).toHaveLength(1);
});

test('when the last day is over the sender is marked as lapsed, logged, told once, and its campaigns look again', async () => {
  const tenant = await world.openTenant();
  await change(tenant, { registrationExpiresOn: day(2) });
  const after = Date.parse(`${day(3)}T00:00:00Z`);
  expect(await watchRegistrations(world.db, after - 1, 100)).toEqual([]);
  expect(await watchRegistrations(world.db, after, 100)).toEqual([tenant.accountId]);
  expect(await watchRegistrations(world.db, after + 30_000, 100)).toEqual([]);
  expect(await open(tenant)).toMatchObject([
    { cause: 'registration_lapsed', severity: 'critical', count: 1 },
  ]);
  const sender = await tenant.call('GET', `/v1/senders/${tenant.senderId}`);
  expect(sender.body).toMatchObject({ registration: 'lapsed' });
  const { body: log } = await tenant.call('GET', '/v1/log?via=system&subjectKind=sender');
  expect(log['items']).toMatchObject([
    { from: { registration: 'approved' }, to: { registration: 'lapsed' } },
  ]);
  world.clock.at = after;
  try {
    expect((await change(tenant, { registration: 'approved' })).status).toBe(422);
    await change(tenant, { registration: 'approved', registrationExpiresOn: day(400) });
  } finally {
    world.clock.at = NOON;
  }
  expect(await open(tenant)).toEqual([]);
});

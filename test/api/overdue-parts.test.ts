import { afterAll, beforeAll, expect, test } from 'vitest';
import { withAccount } from '../../db/database.ts';
import { prepareCampaign } from '../../db/prepare-campaign.ts';
import { type ApiWorld, NOON, openApiWorld, type Tenant } from './api-world.ts';
import { launchCentral } from './launched-central.ts';
import { create } from './seeded-things.ts';

const HOUR_MS = 3_600_000;
let world: ApiWorld;
let parent: Tenant;

beforeAll(async () => {
  world = await openApiWorld();
  parent = await world.openTenant();
  const enabled = { body: { enabled: true } };
  await world.operator('PUT', `/v1/accounts/${parent.accountId}/central-send`, enabled);
});
afterAll(() => world.close());

async function idsOf(tenant: Tenant, campaign: string): Promise<readonly string[]> {
  const { body } = await tenant.call('GET', `/v1/campaigns/${campaign}`);
  return (body['messages'] as readonly { readonly id: string }[]).map(({ id }) => id);
}

/** A part that is kept back in this way while both of its messages become due, and what was in its way is gone. */
async function keepBack(
  name: string,
  keep: (child: Tenant) => Promise<() => Promise<unknown>>,
): Promise<{ child: Tenant; central: string; part: string; path: string }> {
  const child = await world.openTenant();
  const { accountId } = child;
  await world.operator('PUT', `/v1/accounts/${accountId}/parent`, { body: { parentId: parent.accountId } });
  const times = { dueAt: '2027-01-12T10:00', thenAt: '2027-01-12T11:00' };
  const central = await launchCentral(world, parent, [child], { name, ...times });
  const { body } = await child.call('GET', '/v1/campaigns?kind=central');
  const part = (body['items'] as readonly { readonly id: string }[])[0]?.id ?? '';
  const mend = await keep(child);
  await withAccount(world.db, accountId, (trx) =>
    prepareCampaign(trx, { accountId, campaignId: part, at: NOON - 3 * HOUR_MS }),
  );
  // As its steps do while it waits.
  await world.owner.query('update messages set due_at = $2 where campaign_id = $1', [
    part,
    new Date(NOON - HOUR_MS),
  ]);
  await mend();
  return { child, central, part, path: `/v1/campaigns/${central}/accounts/${accountId}/retry` };
}

const withoutSender = async (child: Tenant): Promise<() => Promise<unknown>> => {
  const register = (registration: string) =>
    child.call('PATCH', `/v1/senders/${child.senderId}`, { body: { registration } });
  await register('lapsed');
  return () => register('approved');
};
const withRefusedContent = async (): Promise<() => Promise<unknown>> => {
  const phrase = { phrase: 'hello', reason: 'It is too plain.', effectiveFrom: '2026-01-01' };
  const id = await create(world.operator, '/v1/refused-phrases', phrase);
  return () => world.operator('DELETE', `/v1/refused-phrases/${id}`);
};

/** What its resume was ordered with. */
async function ordersOf(part: string): Promise<unknown> {
  const { rows } = await world.owner.query<{ args: Record<string, unknown> }>(
    `select args from actions where campaign_id = $1 and name = 'resume'`,
    [part],
  );
  return rows[0]?.args['overdue'];
}

async function statusesOf(part: string): Promise<unknown> {
  const { rows } = await world.owner.query<{ status: string }>(
    'select status from messages where campaign_id = $1 order by position',
    [part],
  );
  return rows.map(({ status }) => status);
}

test.each([
  ['suspended', withoutSender],
  ['rejected', withRefusedContent],
])(
  'a part that was %s goes on with a word for each message that became due meanwhile, by the ids of the central campaign',
  async (state, keep) => {
    const { child, central, part, path } = await keepBack(`Kept back, ${state}`, keep);
    expect((await child.call('GET', `/v1/campaigns/${part}`)).body['status']).toBe(state);
    const [first = '', second = ''] = await idsOf(parent, central);
    const answerTo = async (body: unknown) => {
      const reply = await parent.call('POST', path, body === undefined ? {} : { body });
      const errors = reply.body['errors'] as readonly { readonly message: string }[] | undefined;
      return [reply.status, reply.body['code'], ...(errors ?? []).map(({ message }) => message)];
    };
    const lacking = (...ids: readonly string[]) => [
      409,
      'overdue-messages',
      ...ids.map((id) => `Say what becomes of ${id}.`),
    ];
    const before = await world.snapshot();
    expect(await answerTo(undefined)).toEqual(lacking(first, second));
    expect(await answerTo({ overdue: [{ messageId: first, do: 'skip' }] })).toEqual(lacking(second));
    const past = { local: '2027-01-12T11:30', zone: 'America/New_York' };
    const moved = { overdue: [{ messageId: first, schedule: past }] };
    expect((await answerTo(moved)).slice(0, 2)).toEqual([422, 'schedule-refused']);
    expect(await world.snapshot()).toEqual(before);

    const words = {
      overdue: [
        { messageId: first, do: 'skip' },
        { messageId: second, do: 'send' },
      ],
    };
    expect((await answerTo(words))[0]).toBe(202);
    const own = await idsOf(child, part);
    expect(await (state === 'suspended' ? ordersOf(part) : statusesOf(part))).toEqual(
      state === 'suspended'
        ? [
            { messageId: own[0], do: 'skip' },
            { messageId: own[1], do: 'send' },
          ]
        : ['cancelled', 'scheduled'],
    );
  },
);

test('a retry with one message that is overdue needs no body', async () => {
  const { part, path } = await keepBack('Without a body', withoutSender);
  await world.owner.query('update messages set due_at = $2 where campaign_id = $1 and position = 2', [
    part,
    new Date(NOON + HOUR_MS),
  ]);
  expect((await parent.call('POST', path)).status).toBe(202);
});

test.each([
  ['suspended', withoutSender],
  ['rejected', withRefusedContent],
])(
  'a part that was %s goes on only with a word for its message once that has expired',
  async (state, keep) => {
    const { central, part, path } = await keepBack(`Expired, ${state}`, keep);
    const [first = ''] = await idsOf(parent, central);
    // The other one is still to come.
    await world.owner.query(
      `update messages set schedule_local = '2027-02-12T11:00', due_at = '2027-02-12T16:00Z'
     where position = 2 and campaign_id = any($1)`,
      [[part, central]],
    );
    world.clock.at = NOON + 48 * HOUR_MS;
    expect(await parent.call('POST', path, { body: {} })).toMatchObject({
      status: 409,
      body: { code: 'overdue-messages', errors: [{ message: `Say what becomes of ${first}.` }] },
    });
    const words = { overdue: [{ messageId: first, do: 'send' }] };
    expect((await parent.call('POST', path, { body: words })).status).toBe(202);
    world.clock.at = NOON;
  },
);

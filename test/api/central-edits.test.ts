import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeParts } from '../../db/central/make-parts.ts';
import { withAccount } from '../../db/database.ts';
import { ACKNOWLEDGEMENT } from '../../domain/launch-check.ts';
import { openBranch, openParent, openPreset, pairOf } from '../presets/franchise.ts';
import { type ApiWorld, openApiWorld, type Reply, type Tenant } from './api-world.ts';
import { create } from './seeded-things.ts';

const HOUR_MS = 3_600_000;

let world: ApiWorld;
let parent: Tenant;
let branch: Tenant;
let central: string;

beforeAll(async () => {
  world = await openApiWorld();
  parent = await openParent(world);
  branch = await openBranch(world, parent, 'Reno');
  const preset = await openPreset(parent, 'All', [pairOf(branch)]);
  central = await create(parent.call, '/v1/campaigns', {
    kind: 'central',
    name: 'Spring',
    presetId: preset.split('/').at(-1),
    ownerId: parent.personId,
    purpose: 'marketing',
    acknowledgement: ACKNOWLEDGEMENT,
  });
  await create(parent.call, `/v1/campaigns/${central}/messages`, {
    text: 'Hi',
    schedule: { local: '2027-01-12T15:00', zone: 'America/New_York' },
  });
});
afterAll(() => world.close());

/** Has the first message of a campaign expire so long after it is due. */
async function expire(tenant: Tenant, id: string, expiresAfterMs: number): Promise<Reply> {
  const { body } = await tenant.call('GET', `/v1/campaigns/${id}`);
  const [message] = body['messages'] as readonly { readonly id: string }[];
  const path = `/v1/campaigns/${id}/messages/${message?.id}`;
  return tenant.call('PATCH', path, { body: { expiresAfterMs } });
}

test('when a message of a central campaign expires is settled with its launch, as it is handed to every part', async () => {
  expect((await expire(parent, central, 2 * HOUR_MS)).status).toBe(200);
  const review = await parent.call('POST', `/v1/campaigns/${central}/review`, {
    body: { start: 'scheduled' },
  });
  const body = { start: 'scheduled', reviewToken: review.body['token'] };
  expect((await parent.call('POST', `/v1/campaigns/${central}/launch`, { body })).status).toBe(202);
  await withAccount(world.db, parent.accountId, (trx) =>
    makeParts(trx, { accountId: parent.accountId, campaignId: central, slice: 0 }),
  );
  const { body: listed } = await branch.call('GET', '/v1/campaigns?kind=central');
  const [part] = listed['items'] as readonly { readonly id: string }[];
  if (part === undefined) throw new Error('The part was not made.');

  for (const [tenant, id] of [
    [parent, central],
    [branch, part.id],
  ] as const) {
    const refused = await expire(tenant, id, HOUR_MS);
    expect(refused).toMatchObject({
      status: 409,
      body: { code: 'details-locked', errors: [{ pointer: '/expiresAfterMs' }] },
    });
    const { body: campaign } = await tenant.call('GET', `/v1/campaigns/${id}`);
    expect(campaign['messages']).toMatchObject([{ expiresAfterMs: 2 * HOUR_MS }]);
  }
  // A run of the other kind would take the parent's own row for a campaign that texts.
  expect(world.asked).not.toContain(`wake ${central}`);
});

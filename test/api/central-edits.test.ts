import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeParts } from '../../db/central/make-parts.ts';
import { withAccount } from '../../db/database.ts';
import { prepareCampaign } from '../../db/prepare-campaign.ts';
import { ACKNOWLEDGEMENT } from '../../domain/launch-check.ts';
import { openBranch, openParent, openPreset, pairOf } from '../presets/franchise.ts';
import { type ApiWorld, NOON, openApiWorld, type Reply, type Tenant } from './api-world.ts';
import { launchCentral } from './launched-central.ts';
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
  central = await draftCentral('Spring', preset, 'Hi');
});
afterAll(() => world.close());

/** A complete central draft with one message that goes to the preset at this path. */
async function draftCentral(name: string, preset: string, text: string): Promise<string> {
  const id = await create(parent.call, '/v1/campaigns', {
    kind: 'central',
    name,
    presetId: idOf(preset),
    ownerId: parent.personId,
    purpose: 'marketing',
    acknowledgement: ACKNOWLEDGEMENT,
  });
  const schedule = { local: '2027-01-12T15:00', zone: 'America/New_York' };
  await create(parent.call, `/v1/campaigns/${id}/messages`, { text, schedule });
  return id;
}

function idOf(path: string): string {
  return path.split('/').at(-1) ?? '';
}

async function launch(id: string): Promise<Reply> {
  const review = await parent.call('POST', `/v1/campaigns/${id}/review`, { body: { start: 'scheduled' } });
  const body = { start: 'scheduled', reviewToken: review.body['token'] };
  return parent.call('POST', `/v1/campaigns/${id}/launch`, { body });
}

/** Has the first message of a campaign expire so long after it is due. */
async function expire(tenant: Tenant, id: string, expiresAfterMs: number): Promise<Reply> {
  const { body } = await tenant.call('GET', `/v1/campaigns/${id}`);
  const [message] = body['messages'] as readonly { readonly id: string }[];
  const path = `/v1/campaigns/${id}/messages/${message?.id}`;
  return tenant.call('PATCH', path, { body: { expiresAfterMs } });
}

test('when a message of a central campaign expires is settled with its launch, as it is handed to every part', async () => {
  expect((await expire(parent, central, 2 * HOUR_MS)).status).toBe(200);
  expect((await launch(central)).status).toBe(202);
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

describe('a central campaign whose content was refused', () => {
  let sparks: Tenant;
  let oldPreset: string;
  let newPreset: string;

  beforeAll(async () => {
    sparks = await openBranch(world, parent, 'Sparks');
    oldPreset = await openPreset(parent, 'Old', [pairOf(branch)]);
    newPreset = await openPreset(parent, 'New', [pairOf(sparks)]);
  });

  /** One that was launched to the old preset and rejected; its phrase is refused only afterwards. */
  async function refused(name: string, phrase: string): Promise<string> {
    const id = await draftCentral(name, oldPreset, `A ${phrase} at {{account.name}}`);
    expect((await launch(id)).status).toBe(202);
    const refusal = { phrase, reason: 'It promises too much.', effectiveFrom: '2026-01-01' };
    await create(world.operator, '/v1/refused-phrases', refusal);
    const { accountId } = parent;
    const prepared = await withAccount(world.db, accountId, (trx) =>
      prepareCampaign(trx, { accountId, campaignId: id, at: NOON }),
    );
    expect(prepared).toEqual({ kind: 'rejected' });
    return id;
  }

  async function shown(id: string): Promise<Record<string, unknown>> {
    const { body } = await parent.call('GET', `/v1/campaigns/${id}`);
    const { presetId, presetName, accounts, states } = body['central'] as Record<string, unknown>;
    const listed = await parent.call('GET', `/v1/campaigns/${id}/accounts`);
    return { status: body['status'], presetId, presetName, accounts, states, listed: listed.body['total'] };
  }

  async function preview(id: string, accountId?: string): Promise<unknown> {
    const { body } = await parent.call('GET', `/v1/campaigns/${id}`);
    const [message] = body['messages'] as readonly { readonly id: string }[];
    const path = `/v1/campaigns/${id}/messages/${message?.id}/preview`;
    const reply = await parent.call('POST', path, { body: accountId === undefined ? {} : { accountId } });
    return reply.status === 200 ? reply.body['text'] : reply.status;
  }

  const unfixed = {
    status: 'draft',
    accounts: 1,
    states: expect.objectContaining({ waiting: 0 }),
    listed: 0,
  };

  test('shows and previews its new preset once it has one, and nothing of the launch that was refused', async () => {
    const id = await refused('Refused', 'sure win');
    expect(await shown(id)).toMatchObject({ status: 'rejected', presetName: 'Old', listed: 1 });
    const presetId = idOf(newPreset);
    expect((await parent.call('PATCH', `/v1/campaigns/${id}`, { body: { presetId } })).status).toBe(200);
    expect(await shown(id)).toEqual({ ...unfixed, presetId, presetName: 'New' });
    expect(await preview(id)).toBe('A sure win at Sparks');
    expect(await preview(id, sparks.accountId)).toBe('A sure win at Sparks');
    expect(await preview(id, branch.accountId)).toBe(422);
  });

  test('is a draft of its preset as it is now once a message is edited, and is launched to that', async () => {
    const id = await refused('Refused again', 'easy win');
    const { body } = await parent.call('GET', `/v1/campaigns/${id}`);
    const [message] = body['messages'] as readonly { readonly id: string }[];
    const path = `/v1/campaigns/${id}/messages/${message?.id}`;
    expect((await parent.call('PATCH', path, { body: { text: 'At {{account.name}}' } })).status).toBe(200);
    expect(await shown(id)).toMatchObject({ ...unfixed, presetName: 'Old' });
    await parent.call('POST', `${oldPreset}/pairs`, { body: { pairs: [pairOf(sparks)] } });
    expect(await shown(id)).toMatchObject({ ...unfixed, accounts: 2 });
    expect(await preview(id, sparks.accountId)).toBe('At Sparks');
    expect((await launch(id)).status).toBe(202);
    expect(await shown(id)).toMatchObject({ status: 'processing', accounts: 2, listed: 2 });
  });
});

test('a part that was rejected stays so when its budget is changed, for nobody but its parent has it tried again', async () => {
  const id = await launchCentral(world, parent, [pairOf(branch)], { name: 'Rejected part' });
  const { rows } = await world.owner.query<{ id: string }>(
    `update campaigns set status = 'rejected' where central_id = $1 returning id`,
    [id],
  );
  const body = { budget: { amountMicro: 5_000_000, currency: 'USD' } };
  const changed = await branch.call('PATCH', `/v1/campaigns/${rows[0]?.id}`, { body });
  expect(changed).toMatchObject({ status: 200, body: { status: 'rejected', budget: body.budget } });
  const { body: accounts } = await parent.call('GET', `/v1/campaigns/${id}/accounts`);
  expect(accounts['items']).toMatchObject([{ state: 'rejected' }]);
});

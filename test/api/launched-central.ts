import { makeParts } from '../../db/central/make-parts.ts';
import { withAccount } from '../../db/database.ts';
import { prepareCampaign } from '../../db/prepare-campaign.ts';
import type { CentralTiming } from '../../domain/central/part-states.ts';
import { seedCentral } from '../support/seed-central.ts';
import { type ApiWorld, NOON, type Tenant } from './api-world.ts';
import { create } from './seeded-things.ts';

/** A sub-account and a list of it. */
export interface Pair {
  readonly accountId: string;
  readonly listId: string;
}

/** Due at this local time in New York or at once, with a second message where that has a time. */
interface Launch {
  readonly name: string;
  readonly dueAt?: string;
  readonly thenAt?: string;
  readonly timing?: CentralTiming;
}

/**
 * A launched central campaign of a tenant that may send centrally, with its parts made as its workflow makes them.
 * Resolves with its id.
 */
export async function launchCentral(
  world: ApiWorld,
  tenant: Tenant,
  pairs: readonly Pair[],
  options: Launch,
): Promise<string> {
  const { accountId } = tenant;
  const campaignId = await launchUnprepared(world, tenant, pairs, options);
  await withAccount(world.db, accountId, async (trx) => {
    await prepareCampaign(trx, { accountId, campaignId, at: NOON });
    await makeParts(trx, { accountId, campaignId, slice: 0 });
  });
  return campaignId;
}

/** The same before its workflow has done anything. */
export async function launchUnprepared(
  world: ApiWorld,
  tenant: Tenant,
  pairs: readonly Pair[],
  options: Launch,
): Promise<string> {
  const { name, dueAt, thenAt, timing } = options;
  const presetId = await create(tenant.call, '/v1/presets', { name });
  const body = { pairs: pairs.map((one) => ({ accountId: one.accountId, listId: one.listId })) };
  const added = await tenant.call('POST', `/v1/presets/${presetId}/pairs`, { body });
  if (added.status !== 200) throw new Error(`The pairs were not added: ${added.status}.`);
  const scheduled = (local?: string) =>
    local === undefined ? {} : { schedule: { local, zone: 'America/New_York' } };
  const second = thenAt === undefined ? [] : [{ text: 'Hello again', ...scheduled(thenAt) }];
  const { campaignId } = await seedCentral(
    world.db,
    { parent: tenant, presetId },
    {
      at: NOON,
      start: dueAt === undefined ? 'now' : 'scheduled',
      ...(timing === undefined ? {} : { timing }),
      messages: [{ text: 'Hello', ...scheduled(dueAt) }, ...second],
    },
  );
  return campaignId;
}

/** Has a campaign whose only part was rejected. Resolves with the path to try it again. */
export async function createRejectedPart(world: ApiWorld, tenant: Tenant, pair: Pair): Promise<string> {
  const id = await launchCentral(world, tenant, [pair], { name: 'One that is rejected' });
  await world.owner.query(`update campaigns set status = 'rejected' where central_id = $1`, [id]);
  return `/v1/campaigns/${id}/accounts/${pair.accountId}/retry`;
}

import { afterAll, beforeAll, expect, test } from 'vitest';
import { orderAction } from '../../db/campaign-orders.ts';
import { stepCampaign } from '../../db/campaign-step/step-campaign.ts';
import { lockCampaign } from '../../db/campaigns.ts';
import { closeLeftOpen } from '../../db/dispatch/left-open.ts';
import { campaignsToRun } from '../../db/repair.ts';
import { type FrozenCampaign, type LedgerWorld, NOON, openLedgerWorld } from './ledger-world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

/** A step of a run that was started anew, and so has no lanes to look after. */
const step = ({ account, campaignId, inside }: FrozenCampaign) =>
  inside((trx) =>
    stepCampaign(trx, {
      accountId: account.accountId,
      campaignId,
      at: NOON,
      running: [],
      poked: false,
      signals: [],
      asked: [],
    }),
  );

const order = ({ account, campaignId, inside }: FrozenCampaign, name: 'abort' | 'stop'): Promise<void> =>
  inside(async (trx) => {
    const campaign = await lockCampaign(trx, campaignId);
    if (campaign === null) throw new Error('The campaign is gone.');
    const ordered = await orderAction(trx, { campaign, name, args: {}, actor: account.actor, at: NOON });
    if (ordered.kind === 'refused') throw new Error(ordered.reason);
  });

/** As if all leases had been opened ten minutes ago. */
const age = (): Promise<unknown> =>
  world.owner.query(`update leases set opened_at = opened_at - interval '10 minutes'`);

test.each(['abort', 'stop'] as const)(
  'whoever a lane of a lost run has left open is given up as lost, also when a %s came before the next run',
  async (name) => {
    const campaign = await world.freeze(3);
    await step(campaign);
    await campaign.lease();
    await order(campaign, name);
    expect(await step(campaign)).toMatchObject({ kind: 'end' });
    expect(await campaignsToRun(world.db, '', 10)).toEqual([]);
    // What has just been leased may be on its way.
    await closeLeftOpen(world.db, 10);
    expect(await campaign.report()).toMatchObject({ inFlight: 2, unknown: 0, waiting: 1 });
    await age();
    await closeLeftOpen(world.db, 10);
    await closeLeftOpen(world.db, 10);
    expect(await campaign.report()).toMatchObject({ inFlight: 0, unknown: 2, waiting: 1 });
  },
);

test('whoever is being texted is left to the lanes of his message', async () => {
  const campaign = await world.freeze(3);
  await step(campaign);
  const lease = await campaign.lease();
  await age();
  await closeLeftOpen(world.db, 10);
  await campaign.record(lease, 'accepted');
  expect(await campaign.report()).toMatchObject({ accepted: 2, unknown: 0, waiting: 1 });
});

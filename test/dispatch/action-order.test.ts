import { afterAll, beforeAll, expect, test } from 'vitest';
import { orderAction } from '../../db/campaign-orders.ts';
import { stepCampaign } from '../../db/campaign-step/step-campaign.ts';
import { lockCampaign } from '../../db/campaigns.ts';
import { listMessages } from '../../db/messages.ts';
import type { NewSchedules } from '../../db/order-rows.ts';
import { type FrozenCampaign, type LedgerWorld, NOON, openLedgerWorld } from './ledger-world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

/** Orders an action and resolves with its id. */
const order = (
  campaign: FrozenCampaign,
  name: 'stop' | 'restart',
  schedules?: NewSchedules,
): Promise<string> =>
  campaign.inside(async (trx) => {
    const found = await lockCampaign(trx, campaign.campaignId);
    if (found === null) throw new Error('The campaign is gone.');
    const { actor } = campaign.account;
    const ordered = await orderAction(trx, { campaign: found, name, args: {}, actor, at: NOON }, schedules);
    if (ordered.kind === 'refused') throw new Error(ordered.reason);
    return ordered.actionId;
  });

const step = (campaign: FrozenCampaign) =>
  campaign.inside((trx) =>
    stepCampaign(trx, {
      accountId: campaign.account.accountId,
      campaignId: campaign.campaignId,
      at: NOON,
      running: [],
      poked: false,
      signals: [],
      asked: [],
    }),
  );

test('a stop that still waits ends nothing of a restart after it, whatever the clocks of those who took the orders say', async () => {
  const campaign = await world.freeze(3);
  await step(campaign);
  const stop = await order(campaign, 'stop');
  // As it was made by a process whose clock is far ahead of the other's.
  await campaign.inside((trx) =>
    trx.updateTable('actions').set({ id: 'act_7zzzzzzzzzzzzzzzzzzzzzzzzz' }).where('id', '=', stop).execute(),
  );
  await order(
    campaign,
    'restart',
    new Map([[campaign.messageId, { local: '2026-03-04T12:00', zone: 'America/New_York' }]]),
  );
  await step(campaign);
  const [message] = await campaign.inside((trx) => listMessages(trx, campaign.campaignId));
  expect(message).toMatchObject({ status: 'scheduled', scheduleLocal: '2026-03-04T12:00' });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { freezeAudience, unfreezeAudience } from '../../db/audience.ts';
import { orderAction } from '../../db/campaign-orders.ts';
import { stepCampaign } from '../../db/campaign-step/step-campaign.ts';
import type { StepPlan } from '../../db/campaign-step/step-plan.ts';
import { lockCampaign } from '../../db/campaigns.ts';
import { withAccount } from '../../db/database.ts';
import { createPostgresDispatchStore } from '../../db/dispatch/postgres-store.ts';
import { prepareCampaign } from '../../db/prepare-campaign.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import { seedAccount, seedCampaign } from '../support/seed.ts';
import { type FrozenCampaign, type LedgerWorld, NOON, openLedgerWorld } from './ledger-world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

async function isFrozenAfter(change: (campaign: FrozenCampaign) => Promise<unknown>): Promise<boolean> {
  const campaign = await world.freeze(2);
  await change(campaign);
  return campaign.inside(async (trx) => {
    await unfreezeAudience(trx, campaign.campaignId);
    const row = await trx
      .selectFrom('campaigns')
      .where('id', '=', campaign.campaignId)
      .select('audience_frozen_at as frozenAt')
      .executeTakeFirstOrThrow();
    return row.frozenAt !== null;
  });
}

const end = (status: 'sending' | 'expired' | 'sent' | 'cut') => (campaign: FrozenCampaign) =>
  campaign.inside((trx) =>
    trx.updateTable('messages').set({ status }).where('id', '=', campaign.messageId).execute(),
  );

test('an audience of which nobody was leased may be frozen again', async () => {
  expect(await isFrozenAfter(end('cut'))).toBe(false);
});

test('an audience of which somebody was leased is kept', async () => {
  expect(await isFrozenAfter((campaign) => campaign.lease())).toBe(true);
});

test.each(['sending', 'expired', 'sent'] as const)(
  'an audience of which a message is %s is kept, so that nobody of it waits for ever',
  async (status) => {
    expect(await isFrozenAfter(end(status))).toBe(true);
  },
);

test('an audience of which somebody was leased after all counts as frozen again, as it was', async () => {
  const campaign = await world.freeze(2);
  await campaign.inside((trx) =>
    trx
      .updateTable('campaigns')
      .set({ audience_frozen_at: null })
      .where('id', '=', campaign.campaignId)
      .execute(),
  );
  await campaign.lease();
  const frozen = () => campaign.inside((trx) => freezeAudience(trx, campaign.campaignId, NOON));
  expect(await frozen()).toEqual({ kind: 'frozen', size: 2 });
  const row = await campaign.inside((trx) =>
    trx
      .selectFrom('campaigns')
      .where('id', '=', campaign.campaignId)
      .select('audience_frozen_at as frozenAt')
      .executeTakeFirstOrThrow(),
  );
  expect(row.frozenAt).toEqual(new Date(NOON));
  expect((await campaign.report()).inFlight, 'whoever was leased is known of').toBe(2);
});

const HOUR_MS = 60 * 60_000;

test('a later message that is rescheduled while the first waits for its first lease is sent at its time', async () => {
  const account = await seedAccount(world.db, { contacts: 2 });
  const { accountId } = account;
  const zone = 'America/New_York';
  const { campaignId, messageIds } = await seedCampaign(world.db, account, {
    at: NOON,
    start: 'now',
    messages: [{ text: 'One' }, { text: 'Two', schedule: { local: '2026-03-03T15:00:00', zone } }],
  });
  const [first = '', second = ''] = messageIds;
  const inside: FrozenCampaign['inside'] = (work) => withAccount(world.db, accountId, work);
  const step = (at: number, running: readonly string[]): Promise<StepPlan> =>
    inside((trx) =>
      stepCampaign(trx, { accountId, campaignId, at, running, poked: false, signals: [], asked: [] }),
    );
  await inside((trx) => prepareCampaign(trx, { accountId, campaignId, at: NOON }));
  await inside((trx) => freezeAudience(trx, campaignId, NOON));
  expect((await step(NOON, [])).start.map((one) => one.messageId)).toEqual([first]);

  await inside(async (trx) => {
    const campaign = await lockCampaign(trx, campaignId);
    if (campaign === null) throw new Error('The campaign is gone.');
    const messages = [{ messageId: second, local: '2026-03-03T14:00:00', zone }];
    const { actor } = account;
    await orderAction(trx, { campaign, name: 'reschedule', args: { messages }, actor, at: NOON });
  });
  await step(NOON, [first]);
  const store = createPostgresDispatchStore({ db: world.db, crash: noCrash, mediaUrl: (token) => token });
  const lane = { accountId, campaignId, messageId: first, lane: 0 };
  const { fence } = await store.enterLane(lane, NOON);
  expect((await store.openLeases(lane, fence, NOON, 2)).kind).toBe('leased');

  const plan = await step(NOON + 2 * HOUR_MS, [first]);
  expect(plan.kind).toBe('run');
  expect(plan.start.map((one) => one.messageId)).toEqual([second]);
});

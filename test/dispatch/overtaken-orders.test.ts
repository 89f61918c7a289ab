import { afterAll, beforeAll, expect, test } from 'vitest';
import { orderAction } from '../../db/campaign-orders.ts';
import type { NewSchedules } from '../../db/order-rows.ts';
import { stepCampaign } from '../../db/campaign-step/step-campaign.ts';
import { lockCampaign } from '../../db/campaigns.ts';
import { createPostgresDispatchStore } from '../../db/dispatch/postgres-store.ts';
import { showStatus } from '../../db/holds.ts';
import { planMessage } from '../../db/message-plan.ts';
import { prepareCampaign } from '../../db/prepare-campaign.ts';
import type { CampaignActionName } from '../../domain/campaign-actions.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import { type FrozenCampaign, type LedgerWorld, NOON, openLedgerWorld } from './ledger-world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

/** A campaign that is being sent, whose workflow carries out nothing until it steps. */
async function sending() {
  const campaign = await world.freeze(4);
  const { accountId, actor } = campaign.account;
  const { campaignId, inside } = campaign;
  const step = () =>
    inside((trx) =>
      stepCampaign(trx, {
        accountId,
        campaignId,
        at: NOON,
        running: [],
        poked: true,
        signals: [],
        asked: [],
      }),
    );
  await inside(async (trx) => {
    await trx
      .updateTable('messages')
      .set({ began_at: new Date(NOON) })
      .where('campaign_id', '=', campaignId)
      .execute();
    await showStatus(trx, campaignId);
  });
  const order = (name: CampaignActionName, schedules?: NewSchedules): Promise<string> =>
    inside(async (trx) => {
      const locked = await lockCampaign(trx, campaignId);
      if (locked === null) throw new Error('The campaign is gone.');
      const result = await orderAction(trx, { campaign: locked, name, args: {}, actor, at: NOON }, schedules);
      return result.kind === 'refused' ? result.reason : result.kind;
    });
  const statusNow = (): Promise<string> =>
    inside(async (trx) => (await lockCampaign(trx, campaignId))?.status ?? 'gone');
  return { ...campaign, step, order, statusNow, standing: () => standing(campaign) };
}

function standing(campaign: FrozenCampaign) {
  return campaign.inside(async (trx) => {
    const gate = await trx
      .selectFrom('gates')
      .where('scope_id', '=', campaign.campaignId)
      .select('holds')
      .executeTakeFirstOrThrow();
    const message = await trx
      .selectFrom('messages')
      .where('id', '=', campaign.messageId)
      .select('status')
      .executeTakeFirstOrThrow();
    return { isOpen: gate.holds === 0, message: message.status };
  });
}

const soon = (campaign: FrozenCampaign): NewSchedules =>
  new Map([[campaign.messageId, { local: '2026-03-03T12:00:00', zone: 'America/New_York' }]]);

const nextWeek = (campaign: FrozenCampaign): NewSchedules =>
  new Map([[campaign.messageId, { local: '2026-03-10T12:00:00', zone: 'America/New_York' }]]);

test('a restart that is ordered before the workflow has carried out the stop goes on with the rest', async () => {
  const campaign = await sending();
  expect(await campaign.order('stop')).toBe('ordered');
  expect(await campaign.order('restart', soon(campaign))).toBe('ordered');
  expect(await campaign.standing()).toEqual({ isOpen: false, message: 'scheduled' });
  await campaign.step();
  expect(await campaign.standing()).toEqual({ isOpen: true, message: 'scheduled' });
});

test('a lane of before a stop texts nobody after a restart that begins later, and neither does one that comes late', async () => {
  const campaign = await sending();
  const { accountId } = campaign.account;
  const { campaignId, messageId } = campaign;
  await campaign.record(await campaign.lease(), 'accepted');
  await campaign.order('stop');
  await campaign.order('restart', nextWeek(campaign));
  await campaign.step();
  expect(await campaign.standing()).toEqual({ isOpen: true, message: 'scheduled' });
  expect(await campaign.openLeases(), 'one that has waited in between').toEqual({ kind: 'held' });
  const store = createPostgresDispatchStore({ db: world.db, crash: noCrash, mediaUrl: (token) => token });
  const lane = { accountId, campaignId, messageId, lane: 1 };
  const { fence } = await store.enterLane(lane, NOON);
  expect(await store.openLeases(lane, fence, NOON, 2), 'one that was queued').toEqual({ kind: 'held' });
});

test('a campaign whose content is refused at a restart is held as stopped, also while its messages look where they stand', async () => {
  const campaign = await sending();
  const { accountId } = campaign.account;
  const { campaignId, messageId, inside } = campaign;
  await campaign.order('stop');
  await campaign.order('restart', soon(campaign));
  await campaign.step();
  const phrase = { id: `phr_${campaignId}`, phrase: 'Hi', reason: 'Test.', effective_from: '2020-01-01' };
  await world.db.insertInto('refused_phrases').values(phrase).execute();
  const prepared = await inside((trx) => prepareCampaign(trx, { accountId, campaignId, at: NOON }));
  await world.db.deleteFrom('refused_phrases').where('id', '=', phrase.id).execute();
  expect(prepared).toEqual({ kind: 'rejected' });
  expect(await campaign.standing()).toEqual({ isOpen: false, message: 'cut' });
  // A run of the message that was there before the stop.
  await inside((trx) =>
    trx.updateTable('messages').set({ texting: true }).where('id', '=', messageId).execute(),
  );
  await inside((trx) => planMessage(trx, { accountId, campaignId, messageId, at: NOON }));
  expect(await campaign.statusNow()).toBe('stopped');
  expect(await campaign.order('restart', soon(campaign)), 'it can be restarted as ever').toBe('ordered');
  await campaign.step();
  expect(await campaign.standing()).toEqual({ isOpen: true, message: 'scheduled' });
});

test('a stop that is ordered after a restart which still waits is not lifted by it', async () => {
  const campaign = await sending();
  await campaign.order('stop');
  await campaign.order('restart', soon(campaign));
  expect(await campaign.order('stop')).toBe('ordered');
  await campaign.step();
  expect(await campaign.standing()).toEqual({ isOpen: false, message: 'cancelled' });
  expect(await campaign.order('restart', soon(campaign)), 'it can be restarted as ever').toBe('ordered');
  await campaign.step();
  expect(await campaign.standing()).toEqual({ isOpen: true, message: 'scheduled' });
});

test('a pause that is ordered after a restart which still waits is not lifted by it', async () => {
  const campaign = await sending();
  await campaign.order('stop');
  await campaign.order('restart', soon(campaign));
  expect(await campaign.order('pause')).toBe('ordered');
  await campaign.step();
  expect(await campaign.standing()).toEqual({ isOpen: false, message: 'scheduled' });
  expect(await campaign.order('resume')).toBe('ordered');
  await campaign.step();
  expect((await campaign.standing()).isOpen).toBe(true);
});

test('a suspension that comes after a resume which still waits is not lifted by it', async () => {
  const campaign = await sending();
  await campaign.order('pause');
  await campaign.order('resume');
  expect(await campaign.order('suspend')).toBe('ordered');
  await campaign.step();
  expect((await campaign.standing()).isOpen).toBe(false);
  await campaign.order('resume');
  await campaign.step();
  expect((await campaign.standing()).isOpen).toBe(true);
});

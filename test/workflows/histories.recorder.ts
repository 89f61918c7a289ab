import { describe, it } from 'vitest';
import { updateAccount } from '../../db/accounts.ts';
import { seedAccount } from '../support/seed.ts';
import { dateUnknowns } from './date-unknowns.ts';
import { storeHistory } from './store-history.ts';
import { orderTest } from './test-send-world.ts';
import { at, HOUR_MS, useWorkflowWorld } from './use-workflow-world.ts';
import { type CampaignUnderTest, launchCampaign } from './workflow-world.ts';

const { world, strike } = useWorkflowWorld();
const MINUTE_MS = 60_000;

async function store(name: string, campaign: CampaignUnderTest): Promise<void> {
  await storeHistory(`${name}.campaign`, await world().history(campaign.campaignId));
  for (const position of campaign.messageIds.keys()) {
    const history = await world().history(campaign.campaignId, position + 1);
    await storeHistory(`${name}.message${position + 1}`, history);
  }
}

describe('histories of every shape', () => {
  it('records a campaign that is sent at once', async () => {
    await strike(10);
    const campaign = await launchCampaign(
      world(),
      { contacts: 5 },
      { start: 'now', messages: [{ text: 'Hi {{firstName}}' }] },
    );
    await world().pass(HOUR_MS);
    await store('sent-at-once', campaign);
  });

  it('records a campaign that sleeps, is paused, resumed and rescheduled', async () => {
    const now = await strike(10);
    const campaign = await launchCampaign(
      world(),
      { contacts: 5 },
      { start: 'scheduled', messages: [{ text: 'Steered', schedule: at(now + 3 * HOUR_MS) }] },
    );
    await world().pass(MINUTE_MS);
    await campaign.order('pause');
    await world().pass(HOUR_MS);
    await campaign.order('resume');
    const [messageId] = campaign.messageIds;
    await campaign.order('reschedule', { messages: [{ messageId, ...at(now + 5 * HOUR_MS) }] });
    await world().pass(8 * HOUR_MS);
    await store('steered', campaign);
  });

  it('records a campaign that waits for quiet hours to end and is paused meanwhile', async () => {
    const evening = await strike(19);
    const campaign = await launchCampaign(
      world(),
      { contacts: 5 },
      { start: 'scheduled', messages: [{ text: 'Late', schedule: at(evening + 50 * MINUTE_MS) }] },
    );
    await campaign.inside((trx) =>
      trx
        .updateTable('accounts')
        .set({ quiet_start: '19:45' })
        .where('id', '=', campaign.account.accountId)
        .execute(),
    );
    await world().pass(2 * HOUR_MS);
    await world().signal(campaign.campaignId, 'pause');
    await world().pass(HOUR_MS);
    await campaign.order('resume');
    await world().pass(14 * HOUR_MS);
    await store('quiet-hours', campaign);
  });

  it('records a campaign whose message expires', async () => {
    const evening = await strike(19);
    const schedule = at(evening + 50 * MINUTE_MS);
    const campaign = await launchCampaign(
      world(),
      { contacts: 5 },
      { start: 'scheduled', messages: [{ text: 'Expired', schedule, expiresAfterMs: HOUR_MS }] },
    );
    await campaign.inside((trx) =>
      trx
        .updateTable('accounts')
        .set({ quiet_start: '19:45' })
        .where('id', '=', campaign.account.accountId)
        .execute(),
    );
    await world().pass(24 * HOUR_MS);
    await store('expired', campaign);
  });

  it('records a campaign that is aborted before it begins', async () => {
    const now = await strike(10);
    const campaign = await launchCampaign(
      world(),
      { contacts: 5 },
      { start: 'scheduled', messages: [{ text: 'Aborted', schedule: at(now + HOUR_MS) }] },
    );
    await world().pass(MINUTE_MS);
    await campaign.order('abort');
    await world().pass(HOUR_MS);
    await store('aborted', { ...campaign, messageIds: [] });
  });

  it('records a campaign that is stopped in the middle and restarted', async () => {
    const now = await strike(10);
    const campaign = await launchCampaign(
      world(),
      { contacts: 5 },
      {
        start: 'scheduled',
        messages: [
          { text: 'First', schedule: at(now + HOUR_MS) },
          { text: 'Second', schedule: at(now + 3 * HOUR_MS) },
        ],
      },
    );
    await world().pass(2 * HOUR_MS);
    await campaign.order('stop');
    await world().pass(MINUTE_MS);
    await store('stopped', { ...campaign, messageIds: campaign.messageIds.slice(0, 1) });
    const [, second = ''] = campaign.messageIds;
    await campaign.order('restart', {}, new Map([[second, at((await world().now()) + HOUR_MS)]]));
    await world().pass(3 * HOUR_MS);
    await store('restarted', { ...campaign, messageIds: [] });
    await storeHistory('restarted.message2', await world().history(campaign.campaignId, 2));
  });

  it('records a campaign that is suspended by its spend limit and resumed', async () => {
    await strike(10);
    const campaign = await launchCampaign(
      world(),
      { contacts: 10, spendLimitMicroUsd: 60_000 },
      { start: 'now', messages: [{ text: 'Costly {{firstName}}' }] },
    );
    await world().pass(MINUTE_MS);
    await campaign.inside((trx) =>
      updateAccount(trx, campaign.account.accountId, { spendLimitMicroUsd: 10_000_000 }),
    );
    await campaign.order('resume');
    await world().pass(HOUR_MS);
    await store('suspended', campaign);
  });

  it('records a campaign that hears of new hours while it waits for its window', async () => {
    const evening = await strike(19);
    const campaign = await launchCampaign(
      world(),
      { contacts: 3 },
      { start: 'scheduled', messages: [{ text: 'Sooner', schedule: at(evening + 30 * MINUTE_MS) }] },
    );
    await campaign.order('pause');
    await world().passUntil(evening + 90 * MINUTE_MS);
    await campaign.order('resume');
    await world().pass(MINUTE_MS);
    const { accountId } = campaign.account;
    await campaign.inside((trx) => updateAccount(trx, accountId, { quietStart: '22:00' }));
    await world().workflows.wakeCampaign(accountId, campaign.campaignId);
    await world().pass(HOUR_MS);
    await store('new-hours', campaign);
  });

  it('records an import', async () => {
    const { accountId } = await seedAccount(world().db);
    const importId = await world().prepareImport(accountId, 'number,first name\n+12125552001,Ann\nbad,Bo\n');
    await world().workflows.startImport(accountId, importId);
    await storeHistory('import', await world().importHistory(importId));
  });

  it('records a campaign that finishes and has a round', async () => {
    await strike(10);
    world().answer = () => ({ kind: 'unknown', cause: 'reset' });
    const campaign = await launchCampaign(
      world(),
      { contacts: 2 },
      { start: 'now', messages: [{ text: 'Hi {{firstName}}' }] },
    );
    await world().pass(HOUR_MS);
    await store('finished-unknown', campaign);
    world().answer = () => ({ kind: 'accepted', uuids: ['uuid'], invalidNumbers: [] });
    await campaign.order('resend_unknown');
    await world().pass(HOUR_MS);
    await store('round', campaign);
  });

  it('records what lets a campaign send again whom the list does not have', async () => {
    await strike(10);
    world().answer = () => ({ kind: 'unknown', cause: 'reset' });
    const campaign = await launchCampaign(
      world(),
      { contacts: 1 },
      { start: 'scheduled', messages: [{ text: 'Hi', schedule: at((await world().now()) + HOUR_MS) }] },
    );
    const { accountId, carrierAccountId } = campaign.account;
    await campaign.inside((trx) => updateAccount(trx, accountId, { resendAbsent: true }));
    await world().pass(HOUR_MS + MINUTE_MS);
    await dateUnknowns(world(), campaign);
    await world().db.updateTable('carrier_accounts').set({ lists_per_minute: 6_000 }).execute();
    await world().workflows.wakeReconcile(carrierAccountId);
    world().answer = () => ({ kind: 'accepted', uuids: ['uuid'], invalidNumbers: [] });
    await world().pass(24 * HOUR_MS);
    await store('resent-absent', campaign);
    await storeHistory('reconcile-wakes', await world().reconcileHistory(carrierAccountId));
  });

  it('records what resolves unknown attempts by the list', async () => {
    await strike(10);
    world().answer = () => ({ kind: 'unknown', cause: 'reset' });
    const campaign = await launchCampaign(
      world(),
      { contacts: 2 },
      { start: 'now', messages: [{ text: 'Hi {{firstName}}' }] },
    );
    await world().pass(MINUTE_MS);
    await world().db.updateTable('carrier_accounts').set({ lists_per_minute: 6_000 }).execute();
    world().list = ({ since }) => {
      const texts = [{ uuid: 'uuid-found', at: since }];
      return { kind: 'listed', texts, isLast: true };
    };
    const { carrierAccountId } = campaign.account;
    await world().workflows.wakeReconcile(carrierAccountId);
    await world().pass(HOUR_MS);
    await storeHistory('reconcile', await world().reconcileHistory(carrierAccountId));
  });

  it('records a message that is sent on trial', async () => {
    await strike(10);
    const test = await orderTest(world());
    await test.send();
    await storeHistory('test-send', await world().testSendHistory(test.testId));
  });
});

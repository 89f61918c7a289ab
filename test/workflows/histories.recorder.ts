import { access, writeFile } from 'node:fs/promises';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { describe, it } from 'vitest';
import { at, HOUR_MS, useWorkflowWorld } from './use-workflow-world.ts';
import { type CampaignUnderTest, launchCampaign } from './workflow-world.ts';

const { world, strike } = useWorkflowWorld();
const MINUTE_MS = 60_000;

/** Stores a shape once: a history that is there already is a promise to campaigns that sleep. */
async function store(name: string, campaign: CampaignUnderTest): Promise<void> {
  const parts = [
    ['campaign', undefined] as const,
    ...campaign.messageIds.map((_, index) => ['message', index + 1] as const),
  ];
  for (const [kind, position] of parts) {
    const file = new URL(`../histories/${name}.${kind}${position ?? ''}.json`, import.meta.url);
    const isStored = await access(file).then(
      () => true,
      () => false,
    );
    if (isStored) continue;
    const history = await world().history(campaign.campaignId, position);
    const json: unknown = JSON.parse(historyToJSON(history));
    await writeFile(file, `${JSON.stringify(json, null, 1)}\n`);
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
});

import { describe, expect, it } from 'vitest';
import { tell } from './carrier-reports.ts';
import { at, DAY_MS, useWorkflowWorld } from './use-workflow-world.ts';
import { type CampaignUnderTest, launchCampaign } from './workflow-world.ts';

const MINUTE_MS = 60_000;
const { world, strike } = useWorkflowWorld();

async function sentToThree(): Promise<CampaignUnderTest> {
  await strike(10);
  const campaign = await launchCampaign(
    world(),
    { contacts: 3 },
    { start: 'now', messages: [{ text: 'Hi {{firstName}}' }] },
  );
  // Time stands still while nobody passes it, and a lane may have to wait for a moment.
  await world().pass(MINUTE_MS);
  expect(await campaign.messages()).toMatchObject([{ status: 'sent' }]);
  return campaign;
}

describe('a campaign whose texts the carrier fails to hand over', () => {
  it('tries them again by itself before it finishes, and nobody whose text may have arrived', async () => {
    const campaign = await sentToThree();
    expect(world().texts).toHaveLength(3);
    await tell(world(), campaign, [1], 'failed', '300');
    await tell(world(), campaign, [2], 'undelivered', '300');
    await tell(world(), campaign, [3], 'delivered');
    await world().pass(40 * MINUTE_MS);
    expect(world().texts).toHaveLength(4);
    const [first, , , again] = world().texts;
    expect((again?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(MINUTE_MS);
    expect(await campaign.report()).toMatchObject({
      accepted: 3,
      delivered: 1,
      failed: [],
      undelivered: [{ reason: '300', count: 1 }],
      awaitingReport: 1,
    });
    expect(await campaign.status()).toBe('finished');
  });

  it('tries them again by itself also while another message waits for its time', async () => {
    const now = await strike(10);
    const campaign = await launchCampaign(
      world(),
      { contacts: 3 },
      {
        start: 'now',
        messages: [
          { text: 'First to {{firstName}}' },
          { text: 'Second to {{firstName}}', schedule: at(now + 3 * DAY_MS) },
        ],
      },
    );
    await world().pass(MINUTE_MS);
    expect(await campaign.messages()).toMatchObject([{ status: 'sent' }, { status: 'scheduled' }]);
    await tell(world(), campaign, [1], 'failed', '300');
    await tell(world(), campaign, [2, 3], 'delivered');
    await world().pass(40 * MINUTE_MS);
    expect(world().texts).toHaveLength(4);
    expect(await campaign.messages()).toMatchObject([{ status: 'sent' }, { status: 'scheduled' }]);
    // In three days the world is that of a later test.
    await campaign.order('abort');
  });

  it('does nothing by itself about a failure that comes after its end', async () => {
    const campaign = await sentToThree();
    await tell(world(), campaign, [1, 2, 3], 'delivered');
    await world().pass(20 * MINUTE_MS);
    expect(await campaign.status()).toBe('finished');
    const late = await sentToThree();
    await tell(world(), late, [1, 2], 'delivered');
    await world().pass(30 * MINUTE_MS);
    expect(await late.status()).toBe('finished');
    const texts = world().texts.length;
    await tell(world(), late, [3], 'failed', '300');
    await world().workflows.wakeCampaign(late.account.accountId, late.campaignId);
    await world().pass(30 * MINUTE_MS);
    expect(world().texts).toHaveLength(texts);
    expect(await late.status()).toBe('finished');
    expect(await late.report()).toMatchObject({ failed: [{ reason: '300', count: 1 }] });
  });

  it('waits while it is paused, and tries again once it is resumed', async () => {
    const campaign = await sentToThree();
    await campaign.order('pause');
    await tell(world(), campaign, [1], 'failed', '300');
    await tell(world(), campaign, [2, 3], 'delivered');
    await world().pass(30 * MINUTE_MS);
    expect(world().texts).toHaveLength(3);
    await campaign.order('resume');
    await world().pass(20 * MINUTE_MS);
    expect(world().texts).toHaveLength(4);
  });

  it('gives up after a bounded number of failures', async () => {
    const campaign = await sentToThree();
    await tell(world(), campaign, [2, 3], 'delivered');
    for (const minutes of [2, 6, 16, 2, 2]) {
      await tell(world(), campaign, [1], 'failed', '300');
      await world().workflows.wakeCampaign(campaign.account.accountId, campaign.campaignId);
      await world().pass(minutes * MINUTE_MS);
    }
    expect(world().texts).toHaveLength(6);
    expect(await campaign.report()).toMatchObject({ accepted: 3, failed: [{ reason: '300', count: 1 }] });
  });
});

import { describe, expect, it } from 'vitest';
import { eventsMax } from '../../workflows/events-max.ts';
import { at, DAY_MS, HOUR_MS, useWorkflowWorld } from './use-workflow-world.ts';
import { type CampaignUnderTest, launchCampaign, type WorkflowWorld } from './workflow-world.ts';

/**
 * Pace is machine time, which no server skips. A hundredth of a lane's ten minutes at a hundred times one
 * segment a second makes as many runs of lanes as the real ones would.
 */
const HASTE = 100;
const TEN_MINUTES_MS = 600_000;

async function countEvents(world: WorkflowWorld, campaign: CampaignUnderTest): Promise<number> {
  const histories = await Promise.all([
    world.history(campaign.campaignId),
    ...campaign.messageIds.map((_, index) => world.history(campaign.campaignId, index + 1)),
  ]);
  return histories.reduce((sum, history) => sum + (history.events?.length ?? 0), 0);
}

describe('the histories of a campaign without pace', () => {
  // Lanes have their real ten minutes, so that a slow machine makes no more runs of them than a fast one.
  const { world, strike } = useWorkflowWorld();

  it('stay small for 100,000 recipients', async () => {
    await strike(9);
    const recipients = 100_000;
    const campaign = await launchCampaign(
      world(),
      { contacts: recipients },
      { start: 'now', messages: [{ text: 'The same for everybody' }] },
    );
    await world().pass(HOUR_MS);
    expect(await campaign.status()).toBe('finished');
    expect(world().texts).toHaveLength(recipients);
    const max = eventsMax({
      messages: 1,
      windowOpenings: 0,
      daysAsleep: 0,
      actions: 1,
      recipients,
      laneTenMinutes: 1,
    });
    expect(await countEvents(world(), campaign)).toBeLessThanOrEqual(max);
  }, 240_000);
});

describe('the histories of a paced or steered campaign', () => {
  const { world, strike } = useWorkflowWorld({ laneBudgetMs: TEN_MINUTES_MS / HASTE });

  it('stay small for 2,000 recipients at one segment a second after thirty days asleep', async () => {
    const due = (await strike(10)) + 30 * DAY_MS;
    const recipients = 2_000;
    const campaign = await launchCampaign(
      world(),
      { contacts: recipients, segmentsPerSecond: HASTE },
      { start: 'scheduled', messages: [{ text: 'After a month', schedule: at(due) }] },
    );
    await world().passUntil(due + HOUR_MS);
    expect(await campaign.status()).toBe('finished');
    const max = eventsMax({
      messages: 1,
      windowOpenings: 0,
      daysAsleep: 30,
      actions: 1,
      recipients,
      laneTenMinutes: (recipients * 1_000) / TEN_MINUTES_MS,
    });
    expect(await countEvents(world(), campaign)).toBeLessThanOrEqual(max);
  });

  it('grow by a bounded number of events with each action', async () => {
    const due = (await strike(10)) + 5 * HOUR_MS;
    const campaign = await launchCampaign(
      world(),
      { contacts: 10 },
      { start: 'scheduled', messages: [{ text: 'Steered', schedule: at(due) }] },
    );
    const rounds = 10;
    for (let round = 0; round < rounds; round += 1) {
      await campaign.order('pause');
      await campaign.order('resume');
    }
    await world().passUntil(due + HOUR_MS);
    expect(await campaign.status()).toBe('finished');
    const max = eventsMax({
      messages: 1,
      windowOpenings: 0,
      daysAsleep: 1,
      actions: 1 + 2 * rounds,
      recipients: 10,
      laneTenMinutes: 1,
    });
    expect(await countEvents(world(), campaign)).toBeLessThanOrEqual(max);
  });
});

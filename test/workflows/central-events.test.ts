import { describe, expect, it } from 'vitest';
import { SLICE_PARTS } from '../../domain/central/part-states.ts';
import { centralWorkflowId, sliceWorkflowId } from '../../workflows/contract.ts';
import { centralEventsMax } from '../../workflows/events-max.ts';
import { type CentralUnderTest, launchCentral } from './central-world.ts';
import { at, DAY_MS, HOUR_MS, useWorkflowWorld } from './use-workflow-world.ts';

const { world, strike } = useWorkflowWorld();
const MINUTE_MS = 60_000;
const SETTLED_MS = 20 * MINUTE_MS;

async function countEvents({ campaignId }: CentralUnderTest): Promise<number> {
  const histories = await Promise.all(
    [centralWorkflowId(campaignId), sliceWorkflowId(campaignId, 0)].map((id) => world().historyOf(id)),
  );
  return histories.reduce((sum, history) => sum + (history.events?.length ?? 0), 0);
}

describe('the histories of a central campaign and its slices', () => {
  it.each([200, 500, 1_001, 5_000, 10_000])('hold at most ten events an account of %i', (accounts) => {
    const max = centralEventsMax({
      accounts,
      slices: Math.ceil(accounts / SLICE_PARTS),
      actions: 1,
      daysAsleep: 1,
      minutesOfNews: 10,
    });
    expect(max / accounts).toBeLessThanOrEqual(10);
  });

  it('hold no more than their bound after two days asleep and ten pauses', async () => {
    const due = (await strike(10)) + 2 * DAY_MS;
    const accounts = 12;
    const central = await launchCentral(
      world(),
      Array.from({ length: accounts }, () => ({ contacts: 1 })),
      { start: 'scheduled', messages: [{ text: 'News', schedule: at(due) }] },
    );
    await world().pass(HOUR_MS);
    const rounds = 10;
    for (let round = 0; round < rounds; round += 1) {
      await central.order('pause');
      await central.order('resume');
    }
    await world().passUntil(due + SETTLED_MS);
    await central.look();
    await world().pass(MINUTE_MS);
    expect(await central.status()).toBe('finished');
    expect(world().texts).toHaveLength(accounts);
    const max = centralEventsMax({
      accounts,
      slices: 1,
      actions: 1 + 2 * rounds,
      daysAsleep: 2,
      // It looks when it is told to here, and not every few seconds.
      minutesOfNews: 0,
    });
    expect(await countEvents(central)).toBeLessThanOrEqual(max);
  });
});

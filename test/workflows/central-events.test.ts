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

describe('the bound of the histories of a central campaign and its slices', () => {
  // Only the formula is looked at here; that histories keep it is held below.
  it.each([200, 500, 1_001, 5_000, 10_000])('allows at most ten events an account of %i', (accounts) => {
    const max = centralEventsMax({
      accounts,
      slices: Math.ceil(accounts / SLICE_PARTS),
      actions: 1,
      daysAsleep: 1,
      minutesOfNews: 10,
    });
    expect(max / accounts).toBeLessThanOrEqual(10);
  });
});

/**
 * How many events the histories of a campaign of so many accounts hold once all have texted. That their parts end is no
 * event: a slice has gone on as new by then, which it does not where time is skipped.
 */
async function countHandedOver(accounts: number): Promise<number> {
  await strike(10);
  const central = await launchCentral(
    world(),
    Array.from({ length: accounts }, () => ({ contacts: 1 })),
    { start: 'now', messages: [{ text: 'News' }] },
  );
  await world().pass(MINUTE_MS);
  expect(world().texts).toHaveLength(accounts);
  expect(await central.states()).toEqual(Array.from({ length: accounts }, () => 'handed_over'));
  return countEvents(central);
}

describe('the histories of a central campaign and its slices', () => {
  it('grow by two to five events with each account that is handed over', async () => {
    const [few, many] = [4, 20];
    const grown = (await countHandedOver(many)) - (await countHandedOver(few));
    expect(grown).toBeGreaterThanOrEqual(2 * (many - few));
    // So much the bound allows for an account, and nothing else of it can hide a longer history here.
    expect(grown).toBeLessThanOrEqual(5 * (many - few));
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

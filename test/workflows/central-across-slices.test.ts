import { describe, expect, it } from 'vitest';
import { spread } from '../support/seed-central.ts';
import { type CentralUnderTest, launchCentral, sentByBranch, settle } from './central-world.ts';
import { at, HOUR_MS, useWorkflowWorld } from './use-workflow-world.ts';

const { world, strike } = useWorkflowWorld();
const MINUTE_MS = 60_000;
const TEXT = 'News of {{account.senderName}}, reply STOP to opt out.';
/** More than take an order at a time. */
const SLICES = 6;
const ALL = Array.from({ length: SLICES }, (_, index) => index);
const EVERY_BRANCH_ONCE = Object.fromEntries(ALL.map((index) => [`Branch ${index + 1}`, 1]));

/** A campaign of as many slices that is due in an hour, once all of them have been handed over. */
async function launchSlices(): Promise<CentralUnderTest> {
  const morning = await strike(9);
  const central = await launchCentral(
    world(),
    ALL.map(() => ({ contacts: 1 })),
    { start: 'scheduled', messages: [{ text: TEXT, schedule: at(morning + HOUR_MS) }] },
    undefined,
    { beforeRun: (campaignId, { parent }) => spread(world().db, parent.accountId, campaignId) },
  );
  await world().pass(10 * MINUTE_MS);
  expect(await central.states()).toEqual(ALL.map(() => 'handed_over'));
  return central;
}

describe('a central campaign of more slices than take an order at a time', () => {
  it('is stopped in all of them, and restarted in all of them', async () => {
    const central = await launchSlices();
    await central.order('stop');
    await world().pass(2 * HOUR_MS);
    await settle(world(), central);
    expect(await central.states()).toEqual(ALL.map(() => 'stopped by_parent'));
    expect(world().texts).toEqual([]);
    const [messageId = ''] = central.messageIds;
    const schedule = at((await world().now()) + HOUR_MS);
    await central.order(
      'restart',
      { messages: [{ messageId, ...schedule }] },
      new Map([[messageId, schedule]]),
    );
    await world().pass(HOUR_MS + MINUTE_MS);
    expect(sentByBranch(world())).toEqual(EVERY_BRANCH_ONCE);
    await settle(world(), central);
    expect(await central.status()).toBe('finished');
  });

  it('is rescheduled in all of them', async () => {
    const central = await launchSlices();
    const [messageId = ''] = central.messageIds;
    const later = (await world().now()) + 3 * HOUR_MS;
    const moved = await central.order('reschedule', { messages: [{ messageId, ...at(later) }] });
    expect(moved).toEqual({ state: 'applied', reason: null });
    await world().passUntil(later - MINUTE_MS);
    expect(world().texts).toEqual([]);
    await world().passUntil(later + MINUTE_MS);
    expect(sentByBranch(world())).toEqual(EVERY_BRANCH_ONCE);
  });

  it('is aborted in all of them', async () => {
    const central = await launchSlices();
    await central.order('abort');
    await world().pass(2 * HOUR_MS);
    await settle(world(), central);
    expect(await central.states()).toEqual(ALL.map(() => 'aborted by_parent'));
    expect(await central.status()).toBe('aborted');
    expect(world().texts).toEqual([]);
  });
});

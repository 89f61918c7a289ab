import { describe, expect, it } from 'vitest';
import { orderAction } from '../../db/campaign-orders.ts';
import { lockCampaign } from '../../db/campaigns.ts';
import { listParts } from '../../db/central/list-parts.ts';
import { withAccount } from '../../db/database.ts';
import type { CampaignActionName } from '../../domain/campaign-actions.ts';
import {
  type CentralUnderTest,
  type CentralWays,
  launchCentral,
  sentByBranch,
  settle,
} from './central-world.ts';
import { at, HOUR_MS, useWorkflowWorld } from './use-workflow-world.ts';

const { world, strike } = useWorkflowWorld();
const MINUTE_MS = 60_000;
const TEXT = 'News of {{account.senderName}}, reply STOP to opt out.';
const BRANCHES = [
  { contacts: 4, timeZone: 'America/New_York' },
  { contacts: 4, timeZone: 'America/Los_Angeles' },
];

type Steer = (name: CampaignActionName) => Promise<CentralUnderTest>;

/** Launches a campaign and orders the action at a stage of it. */
const STAGES: Readonly<Record<string, Steer>> = {
  'before any part was made': async (name) => {
    const morning = await strike(9);
    let states: string[] = [];
    const central = await launch(morning + HOUR_MS, async (campaignId, { parent: { accountId, actor } }) => {
      const now = await world().now();
      states = await withAccount(world().db, accountId, async (trx) => {
        const campaign = await lockCampaign(trx, campaignId);
        if (campaign === null) throw new Error('The campaign is gone.');
        const { items } = await listParts(trx, campaignId, { offset: 0, limit: 10 });
        await orderAction(trx, { campaign, name, args: {}, actor, at: now });
        return items.map(({ campaignId: part, state }) => (part === null ? state : 'made'));
      });
    });
    expect(states).toEqual(['waiting', 'waiting']);
    await world().pass(MINUTE_MS);
    return central;
  },
  'while its parts sleep': async (name) => {
    const morning = await strike(9);
    const central = await launch(morning + HOUR_MS);
    await world().pass(30 * MINUTE_MS);
    expect(await central.states()).toEqual(['handed_over', 'handed_over']);
    await central.order(name);
    return central;
  },
  'while it texts': async (name) => {
    await strike(12);
    const orders: Promise<unknown>[] = [];
    let central: CentralUnderTest | null = null;
    world().answer = () => {
      if (orders.length === 0 && central !== null) orders.push(central.order(name));
      return { kind: 'accepted', uuids: ['uuid'], invalidNumbers: [] };
    };
    central = await launch(null);
    await world().pass(MINUTE_MS);
    await Promise.all(orders);
    return central;
  },
  'while one part waits for its morning': async (name) => {
    await strike(10);
    const central = await launch(null);
    await world().pass(10 * MINUTE_MS);
    expect(sentByBranch(world())).toEqual({ 'Branch 1': 4 });
    await central.order(name);
    return central;
  },
};

/** Due at this instant, or now. */
function launch(due: number | null, beforeRun?: CentralWays['beforeRun']): Promise<CentralUnderTest> {
  return launchCentral(
    world(),
    BRANCHES,
    {
      start: due === null ? 'now' : 'scheduled',
      messages: [{ text: TEXT, ...(due === null ? {} : { schedule: at(due) }) }],
    },
    undefined,
    beforeRun === undefined ? {} : { beforeRun },
  );
}

describe.each(Object.entries(STAGES))('a central campaign that is steered %s', (_stage, steer) => {
  it('sends nothing more once it is paused, and everybody is texted once when it goes on', async () => {
    const central = await steer('pause');
    const before = world().texts.length;
    await world().pass(5 * HOUR_MS);
    expect(world().texts).toHaveLength(before);
    expect(await central.order('resume')).toEqual({ state: 'applied', reason: null });
    await world().pass(MINUTE_MS);
    await settle(world(), central);
    expect(sentByBranch(world())).toEqual({ 'Branch 1': 4, 'Branch 2': 4 });
    expect(await central.status()).toBe('finished');
  });

  it('sends nothing more once it is aborted, and every part that was not done is', async () => {
    const central = await steer('abort');
    const before = world().texts.length;
    await world().pass(5 * HOUR_MS);
    await settle(world(), central);
    expect(world().texts).toHaveLength(before);
    expect(await central.status()).toBe('aborted');
    for (const state of await central.states()) expect(state).toMatch(/^(aborted by_parent|done)$/);
    expect((await central.states()).some((state) => state.startsWith('aborted'))).toBe(true);
  });
});

describe('a central campaign that is finished', () => {
  it('is neither paused nor aborted any more', async () => {
    await strike(12);
    const central = await launch(null);
    await settle(world(), central);
    expect(await central.status()).toBe('finished');
    expect((await central.order('pause')).state).toBe('refused');
    expect((await central.order('abort')).state).toBe('refused');
    expect(await central.states()).toEqual(['done', 'done']);
  });
});

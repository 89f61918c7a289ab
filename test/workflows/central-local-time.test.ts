import { expect, it } from 'vitest';
import { orderAction } from '../../db/campaign-orders.ts';
import { lockCampaign } from '../../db/campaigns.ts';
import { withAccount } from '../../db/database.ts';
import { toLocal } from '../../domain/zoned-time.ts';
import type { SeededParent } from '../support/seed-central.ts';
import { branchOf, launchCentral } from './central-world.ts';
import { at, HOUR_MS, useWorkflowWorld, ZONE } from './use-workflow-world.ts';

const { world, strike } = useWorkflowWorld();
const MINUTE_MS = 60_000;
const TEXT = 'News of {{account.senderName}}, reply STOP to opt out.';
const ZONES = [ZONE, 'America/Los_Angeles'];
const CHILDREN = ZONES.map((timeZone) => ({ contacts: 1, timeZone }));

/** Pauses a central campaign of which nothing was made yet. */
async function pauseAtOnce(campaignId: string, { parent }: SeededParent): Promise<void> {
  const now = await world().now();
  const { accountId, actor } = parent;
  await withAccount(world().db, accountId, async (trx) => {
    const campaign = await lockCampaign(trx, campaignId);
    if (campaign === null) throw new Error('The campaign is gone.');
    await orderAction(trx, { campaign, name: 'pause', args: {}, actor, at: now });
  });
}

/** When each branch was texted, by the clocks where it is. */
function sentAtLocally(): Record<string, string> {
  return Object.fromEntries(
    world().texts.map(({ text, at: sentAt }) => {
      const branch = branchOf(text);
      const zone = ZONES[Number(branch.slice('Branch '.length)) - 1] ?? 'UTC';
      return [branch, toLocal(sentAt, zone).slice(11, 16)];
    }),
  );
}

it.each([
  ['no part of which was made yet', pauseAtOnce],
  ['whose parts were made before it was paused', undefined],
])(
  'a resume that sends what is overdue, of a campaign %s, texts nobody before the local time',
  async (_name, beforeRun) => {
    const morning = await strike(9);
    const central = await launchCentral(
      world(),
      CHILDREN,
      {
        start: 'scheduled',
        timing: 'local_time',
        // Also whoever would have expired meanwhile: the word to send it counts anew.
        messages: [{ text: TEXT, schedule: at(morning + HOUR_MS), expiresAfterMs: 30 * MINUTE_MS }],
      },
      undefined,
      beforeRun === undefined ? {} : { beforeRun },
    );
    await world().pass(10 * MINUTE_MS);
    if (beforeRun === undefined) await central.order('pause');
    await world().passUntil(morning + 2 * HOUR_MS);
    const [messageId = ''] = central.messageIds;
    const resumed = await central.order('resume', { overdue: [{ messageId, do: 'send' }] });
    expect(resumed).toEqual({ state: 'applied', reason: null });
    await world().passUntil(morning + 3.5 * HOUR_MS);
    expect(sentAtLocally()).toEqual({ 'Branch 1': '11:00' });
    await world().passUntil(morning + 5 * HOUR_MS);
    expect(sentAtLocally()).toEqual({ 'Branch 1': '11:00', 'Branch 2': '10:00' });
  },
);

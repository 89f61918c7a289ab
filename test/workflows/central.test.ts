import { describe, expect, it } from 'vitest';
import { lockAccount } from '../../db/accounts.ts';
import { orderAction } from '../../db/campaign-orders.ts';
import { findCampaign, lockCampaign } from '../../db/campaigns.ts';
import { endParts, lockParts } from '../../db/central/end-parts.ts';
import { withAccount } from '../../db/database.ts';
import { setParent } from '../../db/sub-accounts.ts';
import type { CampaignActionName } from '../../domain/campaign-actions.ts';
import { toLocal } from '../../domain/zoned-time.ts';
import { campaignWorkflowId, CARILLON_CENTRAL } from '../../workflows/contract.ts';
import type { SeededAccount } from '../support/seed.ts';
import {
  branchOf,
  type CentralUnderTest,
  launchCentral,
  sentByBranch,
  settle,
  tryAgain,
} from './central-world.ts';
import { at, HOUR_MS, useWorkflowWorld } from './use-workflow-world.ts';

const { world, strike } = useWorkflowWorld();
const MINUTE_MS = 60_000;
const TEXT = 'News of {{account.senderName}}, reply STOP to opt out.';

const sentBy = (): Record<string, number> => sentByBranch(world());

/** A central campaign that is due at ten; at ten past nine, as it is then, all of its parts sleep. */
async function launchAsleep(branches: Parameters<typeof launchCentral>[1]) {
  const morning = await strike(9);
  const central = await launchCentral(world(), branches, {
    start: 'scheduled',
    messages: [{ text: TEXT, schedule: at(morning + HOUR_MS) }],
  });
  await world().pass(10 * MINUTE_MS);
  return { central, morning };
}

/** Orders something of a part as its own people would. */
async function orderOwn(central: CentralUnderTest, index: number, name: CampaignActionName) {
  const now = await world().now();
  const account = central.children[index];
  if (account === undefined) throw new Error('There is no such branch.');
  const { actionId, id } = await central.inPart(index, async (trx, campaignId) => {
    const campaign = await lockCampaign(trx, campaignId);
    if (campaign === null) throw new Error('The part is gone.');
    const ordered = await orderAction(trx, { campaign, name, args: {}, actor: account.actor, at: now });
    if (ordered.kind === 'refused') throw new Error(ordered.reason);
    return { actionId: ordered.actionId, id: campaignId };
  });
  return world().workflows.applyAction(account.accountId, id, actionId);
}

describe('a central campaign', () => {
  it('is sent by each sub-account in its own name, once to each, and is finished when all of them are', async () => {
    await strike(10);
    const central = await launchCentral(world(), [{ contacts: 3 }, { contacts: 2 }, { contacts: 1 }], {
      start: 'now',
      messages: [{ text: TEXT }],
    });
    await world().pass(MINUTE_MS);
    expect(sentBy()).toEqual({ 'Branch 1': 3, 'Branch 2': 2, 'Branch 3': 1 });
    expect(await central.status()).toBe('started');
    await settle(world(), central);
    expect(await central.states()).toEqual(['done', 'done', 'done']);
    expect(await central.status()).toBe('finished');
    expect(world().texts).toHaveLength(6);
    const part = await central.inPart(0, (trx, id) => findCampaign(trx, id));
    expect(part).toMatchObject({ kind: 'central', parentId: central.parent.accountId, status: 'finished' });
  });

  it('waits for its schedule, and each part for the hours of its own account', async () => {
    const morning = await strike(9);
    const central = await launchCentral(
      world(),
      [
        { contacts: 1, timeZone: 'America/New_York' },
        { contacts: 1, timeZone: 'America/Los_Angeles' },
      ],
      { start: 'scheduled', messages: [{ text: TEXT, schedule: at(morning + HOUR_MS) }] },
    );
    await world().pass(50 * MINUTE_MS);
    expect(world().texts).toEqual([]);
    expect(await central.status()).toBe('scheduled');
    expect(await central.states()).toEqual(['handed_over', 'handed_over']);
    await world().pass(12 * MINUTE_MS);
    expect(sentBy()).toEqual({ 'Branch 1': 1 });
    await world().pass(HOUR_MS);
    expect(sentBy()).toEqual({ 'Branch 1': 1, 'Branch 2': 1 });
    expect(toLocal(world().texts[1]?.at ?? 0, 'America/Los_Angeles').slice(11, 16)).toBe('08:00');
  });

  it('is sent at the same local time in each zone, if it is to be', async () => {
    const morning = await strike(9);
    await launchCentral(
      world(),
      [
        { contacts: 1, timeZone: 'America/New_York' },
        { contacts: 1, timeZone: 'Europe/Paris' },
        { contacts: 1, timeZone: 'Asia/Kolkata' },
      ],
      {
        start: 'scheduled',
        timing: 'local_time',
        messages: [{ text: TEXT, schedule: at(morning + 25 * HOUR_MS) }],
      },
    );
    await world().pass(26 * HOUR_MS);
    const zones: Record<string, string> = {
      'Branch 1': 'America/New_York',
      'Branch 2': 'Europe/Paris',
      'Branch 3': 'Asia/Kolkata',
    };
    const local = world().texts.map(({ text, at: sentAt }) => {
      const branch = branchOf(text);
      return `${branch} ${toLocal(sentAt, zones[branch] ?? 'UTC').slice(11, 16)}`;
    });
    expect(local.toSorted()).toEqual(['Branch 1 10:00', 'Branch 2 10:00', 'Branch 3 10:00']);
  });

  it('is found by the run of each part, also by one that an action has started', async () => {
    const { central } = await launchAsleep([{ contacts: 1 }]);
    const partId = await central.inPart(0, (_trx, id) => Promise.resolve(id));
    const run = world().client.workflow.getHandle(campaignWorkflowId(partId));
    await run.terminate();
    expect(await orderOwn(central, 0, 'pause')).toEqual({ state: 'applied', reason: null });
    const { status, typedSearchAttributes } = await run.describe();
    expect(status.name).toBe('RUNNING');
    expect(typedSearchAttributes.get(CARILLON_CENTRAL)).toBe(central.campaignId);
  });

  it('that is paused sends nothing of any part, also of those that begin then, and goes on when it is resumed', async () => {
    const { central } = await launchAsleep([{ contacts: 2 }, { contacts: 2 }]);
    expect(await central.order('pause')).toEqual({ state: 'applied', reason: null });
    expect(await central.states()).toEqual(['paused', 'paused']);
    await world().pass(2 * HOUR_MS);
    expect(world().texts).toEqual([]);
    expect(await central.order('resume')).toEqual({ state: 'applied', reason: null });
    await world().pass(MINUTE_MS);
    expect(sentBy()).toEqual({ 'Branch 1': 2, 'Branch 2': 2 });
    await settle(world(), central);
    expect(await central.status()).toBe('finished');
  });

  it('that is stopped stops every part, and its restart goes on with all of them', async () => {
    const { central } = await launchAsleep([{ contacts: 2 }, { contacts: 2 }]);
    await central.order('stop');
    await world().pass(2 * HOUR_MS);
    await settle(world(), central);
    expect(await central.states()).toEqual(['stopped by_parent', 'stopped by_parent']);
    expect(await central.status()).toBe('stopped');
    expect(world().texts).toEqual([]);
    const [messageId = ''] = central.messageIds;
    const schedule = at((await world().now()) + HOUR_MS);
    await central.order(
      'restart',
      { messages: [{ messageId, ...schedule }] },
      new Map([[messageId, schedule]]),
    );
    await world().pass(HOUR_MS + MINUTE_MS);
    expect(sentBy()).toEqual({ 'Branch 1': 2, 'Branch 2': 2 });
    await settle(world(), central);
    expect(await central.status()).toBe('finished');
  });

  it('that is aborted ends every part for good', async () => {
    const { central } = await launchAsleep([{ contacts: 2 }, { contacts: 2 }]);
    await central.order('abort');
    await world().pass(3 * HOUR_MS);
    await settle(world(), central);
    expect(await central.states()).toEqual(['aborted by_parent', 'aborted by_parent']);
    expect(await central.status()).toBe('aborted');
    expect(world().texts).toEqual([]);
  });

  it('that is rescheduled moves every part', async () => {
    const { central, morning } = await launchAsleep([{ contacts: 1 }, { contacts: 1 }]);
    const [messageId = ''] = central.messageIds;
    await central.order('reschedule', { messages: [{ messageId, ...at(morning + 4 * HOUR_MS) }] });
    await world().passUntil(morning + 3 * HOUR_MS);
    expect(world().texts).toEqual([]);
    await world().passUntil(morning + 4 * HOUR_MS + MINUTE_MS);
    expect(sentBy()).toEqual({ 'Branch 1': 1, 'Branch 2': 1 });
  });
});

/** Gives the sender of an account another registration. */
async function register(account: SeededAccount | undefined, registration: string): Promise<void> {
  if (account === undefined) throw new Error('There is no such branch.');
  await withAccount(world().db, account.accountId, (trx) =>
    trx.updateTable('senders').set({ registration }).where('id', '=', account.senderId).execute(),
  );
}

describe('a part of a central campaign', () => {
  it('without a sender that may send is suspended by itself, and the others go on', async () => {
    await strike(10);
    const central = await launchCentral(
      world(),
      [{ contacts: 1 }, { contacts: 1 }],
      { start: 'now', messages: [{ text: TEXT }] },
      ({ children }) => register(children[0], 'lapsed'),
    );
    await world().pass(MINUTE_MS);
    expect(sentBy()).toEqual({ 'Branch 2': 1 });
    expect(await central.states()).toEqual(['suspended no_sender', 'handed_over']);
    await settle(world(), central);
    expect(await central.status()).toBe('started');

    await register(central.children[0], 'approved');
    const resumed = await tryAgain(world(), central, 0);
    expect(resumed.kind).toBe('resumed');
    await settle(world(), central);
    expect(sentBy()).toEqual({ 'Branch 1': 1, 'Branch 2': 1 });
    expect(await central.status()).toBe('finished');
  });

  it('of an account that leaves is aborted with that reason, and what was sent stays', async () => {
    const morning = await strike(9);
    const central = await launchCentral(world(), [{ contacts: 1 }, { contacts: 1 }], {
      start: 'scheduled',
      messages: [
        { text: TEXT, schedule: at(morning + HOUR_MS) },
        { text: `Again: ${TEXT}`, schedule: at(morning + 5 * HOUR_MS) },
      ],
    });
    await world().passUntil(morning + HOUR_MS + MINUTE_MS);
    const [leaving] = central.children;
    if (leaving === undefined) throw new Error('There is no branch.');
    const { accountId, actor } = leaving;
    const now = await world().now();
    const ended = await withAccount(world().db, accountId, async (trx) => {
      await lockAccount(trx, accountId);
      const parts = await endParts(trx, await lockParts(trx), { actor, at: now }, 'account_left');
      await setParent(trx, accountId, null);
      return parts;
    });
    for (const id of ended) await world().workflows.wakeCampaign(accountId, id);
    await world().pass(5 * HOUR_MS);
    await settle(world(), central);
    expect(sentBy()).toEqual({ 'Branch 1': 1, 'Branch 2': 2 });
    expect(await central.states()).toEqual(['aborted account_left', 'done']);
    expect(await central.status()).toBe('finished');
  });

  it('that its own people have paused is not resumed by the parent', async () => {
    const { central } = await launchAsleep([{ contacts: 1 }, { contacts: 1 }]);
    await orderOwn(central, 0, 'pause');
    await central.order('pause');
    await central.order('resume');
    await world().pass(2 * HOUR_MS);
    expect(sentBy()).toEqual({ 'Branch 2': 1 });
    expect((await central.states())[0]).toBe('paused by_account');
    await orderOwn(central, 0, 'resume');
    await world().pass(MINUTE_MS);
    expect(sentBy()).toEqual({ 'Branch 1': 1, 'Branch 2': 1 });
  });

  it("that its own people have paused and resumed sends nothing until the parent's pause is lifted, too", async () => {
    const { central } = await launchAsleep([{ contacts: 1 }, { contacts: 1 }]);
    await orderOwn(central, 0, 'pause');
    await central.order('pause');
    expect(await orderOwn(central, 0, 'resume')).toEqual({ state: 'applied', reason: null });
    await world().pass(2 * HOUR_MS);
    expect(world().texts).toEqual([]);
    expect(await central.states()).toEqual(['paused', 'paused']);
    await central.order('resume');
    await world().pass(MINUTE_MS);
    expect(sentBy()).toEqual({ 'Branch 1': 1, 'Branch 2': 1 });
  });
});

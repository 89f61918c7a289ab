import { describe, expect, it } from 'vitest';
import { orderAction } from '../../db/campaign-orders.ts';
import { lockCampaign } from '../../db/campaigns.ts';
import { makeParts } from '../../db/central/make-parts.ts';
import { lockCentralOf } from '../../db/central/overrule-part.ts';
import { stepCentral } from '../../db/central/step-central.ts';
import type { MessageOrder } from '../../db/campaign-step/message-orders.ts';
import { withAccount } from '../../db/database.ts';
import { listMessages } from '../../db/messages.ts';
import { prepareCampaign } from '../../db/prepare-campaign.ts';
import type { SeededParent } from '../support/seed-central.ts';
import {
  type CentralUnderTest,
  launchCentral,
  letPass,
  refusePhrase,
  sentByBranch,
  settle,
  tryAgain,
} from './central-world.ts';
import { at, HOUR_MS, useWorkflowWorld } from './use-workflow-world.ts';

const { world, strike } = useWorkflowWorld();
const MINUTE_MS = 60_000;
const TEXT = 'News of {{account.senderName}}, reply STOP to opt out.';

const refuse = (phrase: string) => refusePhrase(world(), phrase);
const retry = (central: CentralUnderTest, index: number, overdue?: readonly MessageOrder[]) =>
  tryAgain(world(), central, index, overdue);

/** Prepares a campaign and the second of its parts, as their runs do, just before a phrase comes to the list. */
async function prepareSome(campaignId: string, { parent, children }: SeededParent): Promise<void> {
  const { accountId } = parent;
  const now = await world().now();
  const second = await withAccount(world().db, accountId, async (trx) => {
    await stepCentral(trx, {
      accountId,
      campaignId,
      at: now,
      running: [],
      handing: 0,
      signals: [],
      asked: [],
    });
    await prepareCampaign(trx, { accountId, campaignId, at: now });
    const made = await makeParts(trx, { accountId, campaignId, slice: 0 });
    return made.find(({ subAccountId }) => subAccountId === children[1]?.accountId);
  });
  if (second === undefined) throw new Error('The second part was not made.');
  await withAccount(world().db, second.subAccountId, (trx) =>
    prepareCampaign(trx, { accountId: second.subAccountId, campaignId: second.campaignId, at: now }),
  );
}

/** A campaign whose first part was rejected, finished without it. */
async function finishWithoutFirst(
  text: string,
  phrase: string,
): Promise<{ central: CentralUnderTest; withdraw: () => Promise<unknown> }> {
  await strike(10);
  let withdraw: () => Promise<unknown> = () => Promise.resolve();
  const central = await launchCentral(
    world(),
    [{ contacts: 2 }, { contacts: 2 }],
    { start: 'now', messages: [{ text }] },
    undefined,
    {
      beforeRun: async (campaignId, seeded) => {
        await prepareSome(campaignId, seeded);
        withdraw = await refuse(phrase);
      },
    },
  );
  await world().pass(MINUTE_MS);
  await settle(world(), central);
  expect(await central.states()).toEqual(['rejected content_refused', 'done']);
  expect(await central.status()).toBe('finished');
  expect(sentByBranch(world())).toEqual({ 'Branch 2': 2 });
  return { central, withdraw };
}

const statusesOf = ({ campaignId, parent }: CentralUnderTest): Promise<string[]> =>
  withAccount(world().db, parent.accountId, async (trx) =>
    (await listMessages(trx, campaignId)).map(({ status }) => status),
  );

describe('a part that was rejected', () => {
  it('is prepared anew once the phrase is withdrawn, sends once to each, and its campaign is finished again', async () => {
    const { central, withdraw } = await finishWithoutFirst(`Golden chance. ${TEXT}`, 'golden chance');
    expect(await retry(central, 0)).toMatchObject({ kind: 'persists', cause: 'content_refused' });
    expect(await central.status()).toBe('finished');
    await withdraw();
    expect((await retry(central, 0)).kind).toBe('prepared_again');
    expect(await central.status()).toBe('started');
    await central.look();
    await world().pass(MINUTE_MS);
    expect(sentByBranch(world())).toEqual({ 'Branch 1': 2, 'Branch 2': 2 });
    await settle(world(), central);
    expect(await central.states()).toEqual(['done', 'done']);
    expect(await central.status()).toBe('finished');
    expect(world().texts).toHaveLength(4);
  });

  it('that an operator overrules sends once to each under its campaign, which goes on and is finished again', async () => {
    const { central } = await finishWithoutFirst(`Copper chance. ${TEXT}`, 'copper chance');
    const [overruled] = central.children;
    if (overruled === undefined) throw new Error('There is no branch.');
    const { accountId, actor } = overruled;
    const now = await world().now();
    const ordered = await central.inPart(0, async (trx, id) => {
      await lockCentralOf(trx, accountId, id);
      const campaign = await lockCampaign(trx, id);
      if (campaign === null) throw new Error('The part is gone.');
      return { id, ...(await orderAction(trx, { campaign, name: 'overrule', args: {}, actor, at: now })) };
    });
    if (ordered.kind === 'refused') throw new Error(ordered.reason);
    expect(await central.status()).toBe('started');
    const applied = await world().workflows.applyAction(accountId, ordered.id, ordered.actionId);
    expect(applied).toEqual({ state: 'applied', reason: null });
    await central.look();
    await world().pass(MINUTE_MS);
    await settle(world(), central);
    expect(sentByBranch(world())).toEqual({ 'Branch 1': 2, 'Branch 2': 2 });
    expect(await central.states()).toEqual(['done', 'done']);
    expect(await central.status()).toBe('finished');
  });

  it('is within the reach of its parent when it goes on: it can be stopped and restarted, and sends once', async () => {
    const { central, withdraw } = await finishWithoutFirst(`Silver chance. ${TEXT}`, 'silver chance');
    await withdraw();
    await retry(central, 0);
    expect(await statusesOf(central)).toEqual(['sending']);
    expect(await central.order('stop')).toEqual({ state: 'applied', reason: null });
    await world().pass(HOUR_MS);
    await settle(world(), central);
    expect(await central.states()).toEqual(['stopped by_parent', 'done']);
    expect(await central.status()).toBe('stopped');
    expect(sentByBranch(world())).toEqual({ 'Branch 2': 2 });
    expect(await statusesOf(central)).toEqual(['cut']);

    await restart(central);
    await world().pass(HOUR_MS + MINUTE_MS);
    await settle(world(), central);
    expect(await central.status()).toBe('finished');
    expect(sentByBranch(world())).toEqual({ 'Branch 1': 2, 'Branch 2': 2 });
  });
});

/** Restarts the only message of a campaign in an hour. */
async function restart(central: CentralUnderTest): Promise<void> {
  const [messageId = ''] = central.messageIds;
  const schedule = at((await world().now()) + HOUR_MS);
  const restarted = await central.order(
    'restart',
    { messages: [{ messageId, ...schedule }] },
    new Map([[messageId, schedule]]),
  );
  expect(restarted.state).toBe('applied');
}

describe('a part that a restart stops for its content', () => {
  it('says so, and is restarted once the phrase is withdrawn, at the time that the others had', async () => {
    const morning = await strike(9);
    const central = await launchCentral(world(), [{ contacts: 2 }, { contacts: 1 }], {
      start: 'scheduled',
      messages: [{ text: `Bronze chance. ${TEXT}`, schedule: at(morning + HOUR_MS) }],
    });
    await world().pass(10 * MINUTE_MS);
    await central.order('stop');
    await settle(world(), central);
    expect(await central.states()).toEqual(['stopped by_parent', 'stopped by_parent']);
    const withdraw = await refuse('bronze chance');
    await letPass(world(), central, 1);
    await restart(central);
    await settle(world(), central);
    expect(await central.states()).toEqual(['stopped content_refused', 'handed_over']);
    expect(await retry(central, 0)).toMatchObject({ kind: 'persists', cause: 'content_refused' });
    await withdraw();
    expect((await retry(central, 0)).kind).toBe('resumed');
    expect(await central.states()).toEqual(['handed_over', 'handed_over']);
    expect(world().texts).toEqual([]);
    await world().pass(HOUR_MS);
    await settle(world(), central);
    expect(sentByBranch(world())).toEqual({ 'Branch 1': 2, 'Branch 2': 1 });
    expect(new Set(world().texts.map(({ at: sentAt }) => Math.floor(sentAt / MINUTE_MS))).size).toBe(1);
    expect(await central.states()).toEqual(['done', 'done']);
    expect(await central.status()).toBe('finished');
  });
});

describe('a part that was suspended while two of its messages became due', () => {
  it('goes on with the word of its parent on each of them', async () => {
    const morning = await strike(9);
    const registered = (registration: string, { children }: SeededParent) =>
      withAccount(world().db, children[0]?.accountId ?? '', (trx) =>
        trx.updateTable('senders').set({ registration }).execute(),
      );
    const central = await launchCentral(
      world(),
      [{ contacts: 1 }, { contacts: 1 }],
      {
        start: 'scheduled',
        messages: [
          { text: `First. ${TEXT}`, schedule: at(morning + HOUR_MS) },
          { text: `Second. ${TEXT}`, schedule: at(morning + 2 * HOUR_MS) },
        ],
      },
      (seeded) => registered('lapsed', seeded),
    );
    await world().pass(3 * HOUR_MS);
    expect((await central.states())[0]).toBe('suspended no_sender');
    await registered('approved', central);
    const [first = '', second = ''] = central.messageIds;
    expect(await retry(central, 0)).toEqual({ kind: 'overdue', messageIds: [first, second] });
    const words = [
      { messageId: first, do: 'skip' },
      { messageId: second, do: 'send' },
    ] as const;
    expect((await retry(central, 0, words)).kind).toBe('resumed');
    await world().pass(MINUTE_MS);
    await settle(world(), central);
    const ofFirst = world().texts.filter(({ text }) => text.includes('Branch 1'));
    expect(ofFirst.map(({ text }) => text.slice(0, 7))).toEqual(['Second.']);
    expect(sentByBranch(world())).toEqual({ 'Branch 1': 1, 'Branch 2': 2 });
    expect(await central.states()).toEqual(['done', 'done']);
    expect(await central.status()).toBe('finished');
  });
});

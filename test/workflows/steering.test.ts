import { describe, expect, it } from 'vitest';
import { at, DAY_MS, HOUR_MS, useWorkflowWorld } from './use-workflow-world.ts';
import { launchCampaign } from './workflow-world.ts';

const { world, strike } = useWorkflowWorld();
const MINUTE_MS = 60_000;

describe('a campaign', () => {
  it('that was prepared for later is ready and texts nobody until it is started', async () => {
    await strike(10);
    const campaign = await launchCampaign(
      world(),
      { contacts: 2 },
      { start: 'later', messages: [{ text: 'Later' }] },
    );
    await world().pass(30 * DAY_MS);
    expect(await campaign.status()).toBe('ready');
    expect(world().texts).toEqual([]);
    expect(await campaign.order('start', { start: 'now' })).toEqual({ state: 'applied', reason: null });
    await world().pass(MINUTE_MS);
    expect(world().texts).toHaveLength(2);
  });

  it('that is withdrawn is a draft again and its workflow has ended', async () => {
    const due = (await strike(10)) + HOUR_MS;
    const campaign = await launchCampaign(
      world(),
      { contacts: 2 },
      { start: 'scheduled', messages: [{ text: 'Withdrawn', schedule: at(due) }] },
    );
    await world().pass(MINUTE_MS);
    expect((await campaign.order('withdraw')).state).toBe('applied');
    expect(await campaign.status()).toBe('draft');
    await world().pass(2 * HOUR_MS);
    expect(world().texts).toEqual([]);
  });

  it('that is paused sends nothing until resumed', async () => {
    const due = (await strike(10)) + HOUR_MS;
    const campaign = await launchCampaign(
      world(),
      { contacts: 5 },
      { start: 'scheduled', messages: [{ text: 'Paused', schedule: at(due) }] },
    );
    await world().pass(MINUTE_MS);
    expect(await campaign.order('pause')).toEqual({ state: 'applied', reason: null });
    await world().pass(3 * HOUR_MS);
    expect(await campaign.status()).toBe('paused');
    expect(world().texts).toEqual([]);
    expect(await campaign.order('resume')).toEqual({ state: 'applied', reason: null });
    await world().pass(HOUR_MS);
    expect(world().texts).toHaveLength(5);
    expect(await campaign.status()).toBe('finished');
  });

  it('that is paused in the middle of a send stops there and goes on with the rest', async () => {
    await strike(10);
    let posts = 0;
    const paused: Promise<unknown>[] = [];
    world().answer = () => {
      posts += 1;
      if (posts === 60) paused.push(campaign.order('pause'));
      return { kind: 'accepted', uuids: ['uuid'], invalidNumbers: [] };
    };
    const campaign = await launchCampaign(
      world(),
      { contacts: 600, segmentsPerSecond: 200 },
      { start: 'now', messages: [{ text: 'Middle {{firstName}}' }] },
    );
    await world().pass(MINUTE_MS);
    await Promise.all(paused);
    expect(await campaign.status()).toBe('paused');
    const sent = world().texts.length;
    expect(sent).toBeLessThan(600);
    await world().pass(HOUR_MS);
    expect(world().texts).toHaveLength(sent);
    await campaign.order('resume');
    await world().pass(HOUR_MS);
    expect(new Set(world().texts.map((text) => text.to)).size).toBe(600);
    expect(world().texts).toHaveLength(600);
  });

  it('asks for a word on each message when more than one is overdue at resume', async () => {
    const now = await strike(10);
    const campaign = await launchCampaign(
      world(),
      { contacts: 2 },
      {
        start: 'scheduled',
        messages: [
          { text: 'One', schedule: at(now + HOUR_MS) },
          { text: 'Two', schedule: at(now + 2 * HOUR_MS) },
          { text: 'Three', schedule: at(now + 3 * HOUR_MS) },
        ],
      },
    );
    await campaign.order('pause');
    await world().pass(4 * HOUR_MS);
    expect((await campaign.order('resume')).state).toBe('refused');
    const [one, two, three] = campaign.messageIds;
    const answer = await campaign.order('resume', {
      overdue: [
        { messageId: one, do: 'send' },
        { messageId: two, do: 'skip' },
        { messageId: three, ...at(now + 6 * HOUR_MS) },
      ],
    });
    expect(answer).toEqual({ state: 'applied', reason: null });
    await world().pass(3 * HOUR_MS);
    expect(world().texts.map((text) => text.text)).toEqual(['One', 'One', 'Three', 'Three']);
    expect(await campaign.status()).toBe('finished');
  });

  it.each([
    ['earlier', 2 * HOUR_MS],
    ['later', 26 * HOUR_MS],
  ])('that is rescheduled %s texts at its new time and not at the old one', async (_name, offset) => {
    const now = await strike(10);
    const campaign = await launchCampaign(
      world(),
      { contacts: 2 },
      { start: 'scheduled', messages: [{ text: 'Moved', schedule: at(now + 5 * HOUR_MS) }] },
    );
    await world().pass(MINUTE_MS);
    const [messageId] = campaign.messageIds;
    const order = await campaign.order('reschedule', { messages: [{ messageId, ...at(now + offset) }] });
    expect(order).toEqual({ state: 'applied', reason: null });
    await world().passUntil(now + offset - MINUTE_MS);
    expect(world().texts).toEqual([]);
    await world().passUntil(now + offset + MINUTE_MS);
    expect(world().texts).toHaveLength(2);
    await world().pass(DAY_MS);
    expect(world().texts).toHaveLength(2);
  });

  it('that is stopped texts nobody any more, and goes on with the rest after a restart', async () => {
    const now = await strike(10);
    const campaign = await launchCampaign(
      world(),
      { contacts: 6 },
      {
        start: 'scheduled',
        messages: [
          { text: 'First', schedule: at(now + HOUR_MS) },
          { text: 'Second', schedule: at(now + 2 * HOUR_MS) },
        ],
      },
    );
    await world().pass(1.5 * HOUR_MS);
    expect(world().texts).toHaveLength(6);
    expect((await campaign.order('stop')).state).toBe('applied');
    await world().pass(2 * HOUR_MS);
    expect(world().texts).toHaveLength(6);
    expect(await campaign.status()).toBe('stopped');
    expect((await campaign.messages()).map((message) => message.status)).toEqual(['sent', 'cancelled']);
    const [, second = ''] = campaign.messageIds;
    const later = (await world().now()) + HOUR_MS;
    expect((await campaign.order('restart', {}, new Map([[second, at(later)]]))).state).toBe('applied');
    await world().pass(2 * HOUR_MS);
    expect(world().texts.map((text) => text.text)).toEqual([
      ...Array.from({ length: 6 }, () => 'First'),
      ...Array.from({ length: 6 }, () => 'Second'),
    ]);
    expect(await campaign.status()).toBe('finished');
  });

  it('that is stopped while it is being sent and restarted at once texts the rest at its new time, and nobody before', async () => {
    const now = await strike(10);
    const due = now + 3 * HOUR_MS;
    const orders: Promise<unknown>[] = [];
    let posts = 0;
    world().answer = () => {
      posts += 1;
      if (posts === 20) {
        const restart = new Map([[campaign.messageIds[0] ?? '', at(due)]]);
        orders.push(campaign.order('stop').then(() => campaign.order('restart', {}, restart)));
      }
      return { kind: 'accepted', uuids: ['uuid'], invalidNumbers: [] };
    };
    const campaign = await launchCampaign(
      world(),
      { contacts: 200, segmentsPerSecond: 100 },
      { start: 'now', messages: [{ text: 'Moved {{firstName}}' }] },
    );
    await world().pass(30 * MINUTE_MS);
    await Promise.all(orders);
    const before = world().texts.length;
    expect(before).toBeLessThan(200);
    expect(await campaign.status()).toBe('started');
    await world().passUntil(due - MINUTE_MS);
    expect(world().texts).toHaveLength(before);
    await world().passUntil(due + HOUR_MS);
    expect(new Set(world().texts.map((text) => text.to)).size).toBe(200);
    expect(world().texts).toHaveLength(200);
    expect(await campaign.status()).toBe('finished');
  });

  it('that is aborted never texts anybody again', async () => {
    const now = await strike(10);
    const campaign = await launchCampaign(
      world(),
      { contacts: 2 },
      { start: 'scheduled', messages: [{ text: 'Aborted', schedule: at(now + HOUR_MS) }] },
    );
    expect((await campaign.order('abort')).state).toBe('applied');
    await world().pass(DAY_MS);
    expect(world().texts).toEqual([]);
    expect(await campaign.status()).toBe('aborted');
    expect((await campaign.order('restart')).state).toBe('refused');
  });

  it.each([
    ['before its audience is frozen', 2 * HOUR_MS],
    ['between the freeze and its first message', 10 * MINUTE_MS],
  ])('that is deleted %s texts nobody and leaves no run behind', async (_name, leadMs) => {
    const now = await strike(10);
    const campaign = await launchCampaign(
      world(),
      { contacts: 2 },
      { start: 'scheduled', messages: [{ text: 'Deleted', schedule: at(now + leadMs) }] },
    );
    await world().pass(MINUTE_MS);
    expect((await campaign.order('delete')).state).toBe('applied');
    await world().pass(DAY_MS);
    expect(world().texts).toEqual([]);
    const history = await world().history(campaign.campaignId);
    expect(history.events?.at(-1)?.workflowExecutionCompletedEventAttributes).toBeDefined();
  });

  it("follows signals of Temporal's UI as it follows the API", async () => {
    const now = await strike(10);
    const campaign = await launchCampaign(
      world(),
      { contacts: 2 },
      { start: 'scheduled', messages: [{ text: 'Signalled', schedule: at(now + HOUR_MS) }] },
    );
    await world().signal(campaign.campaignId, 'pause');
    await world().pass(2 * HOUR_MS);
    expect(await campaign.status()).toBe('paused');
    expect(world().texts).toEqual([]);
    await world().signal(campaign.campaignId, 'resume');
    await world().pass(MINUTE_MS);
    expect(world().texts).toHaveLength(2);
    const log = await campaign.inside((trx) =>
      trx.selectFrom('log').where('via', '=', 'temporal').select('what').orderBy('id').execute(),
    );
    expect(log.map((line) => line.what)).toEqual(['pause', 'resume']);
  });
});

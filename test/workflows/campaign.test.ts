import { describe, expect, it } from 'vitest';
import { toLocal } from '../../domain/zoned-time.ts';
import { at, DAY_MS, HOUR_MS, useWorkflowWorld, ZONE } from './use-workflow-world.ts';
import { launchCampaign } from './workflow-world.ts';

const { world, strike } = useWorkflowWorld();
const MINUTE_MS = 60_000;

describe('a campaign', () => {
  it('that is started now texts everybody once and finishes', async () => {
    await strike(10);
    const campaign = await launchCampaign(
      world(),
      { contacts: 40 },
      { start: 'now', messages: [{ text: 'Hi {{firstName}}' }] },
    );
    await world().pass(HOUR_MS);
    expect(await campaign.status()).toBe('finished');
    expect(new Set(world().texts.map((text) => text.to)).size).toBe(40);
    expect(world().texts).toHaveLength(40);
    expect(await campaign.report()).toMatchObject({ accepted: 40, waiting: 0, inFlight: 0 });
  });

  it('with an empty list finishes without a text', async () => {
    await strike(10);
    const campaign = await launchCampaign(
      world(),
      { contacts: 0 },
      { start: 'now', messages: [{ text: 'Nobody' }] },
    );
    await world().pass(MINUTE_MS);
    expect(await campaign.status()).toBe('finished');
    expect(world().texts).toEqual([]);
  });

  it('sleeps for weeks until its message is due, to the minute', async () => {
    const due = (await strike(10)) + 21 * DAY_MS;
    const campaign = await launchCampaign(
      world(),
      { contacts: 3 },
      { start: 'scheduled', messages: [{ text: 'Three weeks later', schedule: at(due) }] },
    );
    await world().passUntil(due - MINUTE_MS);
    expect(await campaign.status()).toBe('scheduled');
    expect(world().texts).toEqual([]);
    await world().passUntil(due + MINUTE_MS);
    expect(world().texts.map((text) => text.text)).toEqual(
      Array.from({ length: 3 }, () => 'Three weeks later'),
    );
  });

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

  it('that runs into quiet hours goes on with the rest when they end', async () => {
    const evening = await strike(19);
    const campaign = await launchCampaign(
      world(),
      { contacts: 4 },
      { start: 'scheduled', messages: [{ text: 'Late', schedule: at(evening + 50 * MINUTE_MS) }] },
    );
    // The account moves its hours forward after the launch, so the schedule comes to lie inside them.
    await campaign.inside((trx) =>
      trx
        .updateTable('accounts')
        .set({ quiet_start: '19:45' })
        .where('id', '=', campaign.account.accountId)
        .execute(),
    );
    await world().pass(2 * HOUR_MS);
    expect(world().texts).toEqual([]);
    expect(await campaign.status()).toBe('started');
    await world().pass(12 * HOUR_MS);
    expect(world().texts).toHaveLength(4);
    expect(toLocal(world().texts[0]?.at ?? 0, ZONE).slice(11, 16)).toBe('08:00');
  });

  it('gives up on whoever has expired and never texts him the next day', async () => {
    const evening = await strike(19);
    const campaign = await launchCampaign(
      world(),
      { contacts: 4 },
      {
        start: 'scheduled',
        messages: [{ text: 'Expired', schedule: at(evening + 50 * MINUTE_MS), expiresAfterMs: HOUR_MS }],
      },
    );
    await campaign.inside((trx) =>
      trx
        .updateTable('accounts')
        .set({ quiet_start: '19:45' })
        .where('id', '=', campaign.account.accountId)
        .execute(),
    );
    await world().pass(DAY_MS);
    expect(world().texts).toEqual([]);
    expect(await campaign.report()).toMatchObject({ expired: 4, waiting: 0 });
    expect((await campaign.messages()).map((message) => message.status)).toEqual(['expired']);
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

  it('whose spend limit is reached is suspended, and goes on once it is raised', async () => {
    await strike(10);
    const campaign = await launchCampaign(
      world(),
      { contacts: 10, spendLimitMicroUsd: 60_000 },
      { start: 'now', messages: [{ text: 'Costly {{firstName}}' }] },
    );
    await world().pass(MINUTE_MS);
    expect(await campaign.status()).toBe('suspended');
    const sent = world().texts.length;
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(10);
    expect((await campaign.order('resume')).state).toBe('refused');
    await campaign.inside((trx) =>
      trx
        .updateTable('accounts')
        .set({ spend_limit_micro_usd: 10_000_000 })
        .where('id', '=', campaign.account.accountId)
        .execute(),
    );
    expect((await campaign.order('resume')).state).toBe('applied');
    await world().pass(HOUR_MS);
    expect(world().texts).toHaveLength(10);
    expect(await campaign.status()).toBe('finished');
  });

  it('whose content is refused is rejected, with the reason', async () => {
    await strike(10);
    await world()
      .db.insertInto('refused_phrases')
      .values({
        id: 'phr_test',
        phrase: 'forbidden words',
        reason: 'It is a test.',
        effective_from: '2020-01-01',
      })
      .execute();
    const campaign = await launchCampaign(
      world(),
      { contacts: 2 },
      { start: 'now', messages: [{ text: 'These are Forbidden  Words!' }] },
    );
    await world().pass(MINUTE_MS);
    expect(await campaign.status()).toBe('rejected');
    expect((await campaign.campaign()).statusReasons).toMatchObject([{ code: 'content-refused' }]);
    expect(world().texts).toEqual([]);
    expect((await campaign.order('overrule')).state).toBe('applied');
    await world().pass(MINUTE_MS);
    expect(world().texts).toHaveLength(2);
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
      trx.selectFrom('campaign_log').where('via', '=', 'temporal').select('what').orderBy('id').execute(),
    );
    expect(log.map((line) => line.what)).toEqual(['pause', 'resume']);
  });

  it('keeps its local time over a change to daylight saving', async () => {
    const now = await strike(10);
    // The next 8 March or 1 November in New York has its clocks changed within these three weeks or not; in
    // either case ten o'clock stays ten o'clock.
    const local = `${toLocal(now + 130 * DAY_MS, ZONE).slice(0, 10)}T10:00`;
    await launchCampaign(
      world(),
      { contacts: 1 },
      { start: 'scheduled', messages: [{ text: 'Ten', schedule: { local, zone: ZONE } }] },
    );
    await world().pass(131 * DAY_MS);
    expect(world().texts.map((text) => toLocal(text.at, ZONE).slice(0, 16))).toEqual([local]);
  });
});

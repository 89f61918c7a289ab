import { describe, expect, it } from 'vitest';
import { at, DAY_MS, HOUR_MS, useWorkflowWorld } from './use-workflow-world.ts';
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

  it('whose content is refused at a restart is stopped again, with the reason', async () => {
    const now = await strike(10);
    const campaign = await launchCampaign(
      world(),
      { contacts: 2 },
      {
        start: 'scheduled',
        messages: [{ text: 'Free of charge since yesterday', schedule: at(now + HOUR_MS) }],
      },
    );
    await campaign.order('stop');
    await world()
      .db.insertInto('refused_phrases')
      .values({
        id: 'phr_later',
        phrase: 'charge since yesterday',
        reason: 'It came to the list while the campaign was stopped.',
        effective_from: '2020-01-01',
      })
      .execute();
    const [messageId = ''] = campaign.messageIds;
    const restart = new Map([[messageId, at((await world().now()) + HOUR_MS)]]);
    expect((await campaign.order('restart', {}, restart)).state).toBe('applied');
    await world().pass(2 * HOUR_MS);
    expect(await campaign.status()).toBe('stopped');
    expect((await campaign.campaign()).statusReasons).toMatchObject([{ code: 'content-refused' }]);
    expect(world().texts).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { updateAccount } from '../../db/accounts.ts';
import { toLocal } from '../../domain/zoned-time.ts';
import { at, DAY_MS, eveOfChange, HOUR_MS, useWorkflowWorld, ZONE } from './use-workflow-world.ts';
import { launchCampaign } from './workflow-world.ts';

const { world, strike } = useWorkflowWorld();
const MINUTE_MS = 60_000;

describe('a campaign', () => {
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

  it('that sleeps through quiet hours hears at once that its account has shortened them', async () => {
    const now = await strike(19);
    const campaign = await launchCampaign(
      world(),
      { contacts: 3 },
      { start: 'scheduled', messages: [{ text: 'Sooner', schedule: at(now + 30 * MINUTE_MS) }] },
    );
    const holdAtEight = await campaign.order('pause');
    expect(holdAtEight.state).toBe('applied');
    await world().passUntil(now + 90 * MINUTE_MS);
    await campaign.order('resume');
    await world().pass(MINUTE_MS);
    expect(world().texts).toEqual([]);
    await campaign.inside((trx) => updateAccount(trx, campaign.account.accountId, { quietStart: '22:00' }));
    await world().workflows.wakeCampaign(campaign.account.accountId, campaign.campaignId);
    await world().pass(MINUTE_MS);
    expect(world().texts).toHaveLength(3);
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
    ['to daylight saving', HOUR_MS],
    ['back from daylight saving', -HOUR_MS],
  ])('keeps its local time, and its account its morning, over a change %s', async (_name, shiftMs) => {
    const eve = eveOfChange(await strike(10), shiftMs);
    const launch = (text: string, dueAt: number) =>
      launchCampaign(
        world(),
        { contacts: 1 },
        { start: 'scheduled', messages: [{ text, schedule: at(dueAt) }] },
      );
    const day = toLocal(eve + DAY_MS, ZONE).slice(0, 10);
    await launch('At noon of the next day', eve + DAY_MS - shiftMs + 2 * HOUR_MS);
    // Due at 19:30 and held until its window has closed: it goes on when the hours of quiet end.
    const held = await launch('In the evening', eve + 9.5 * HOUR_MS);
    await held.order('pause');
    await world().passUntil(eve + 11 * HOUR_MS);
    await held.order('resume');
    await world().passUntil(eve + 2 * DAY_MS);
    expect(world().texts.map((text) => [toLocal(text.at, ZONE).slice(0, 16), text.text])).toEqual([
      [`${day}T08:00`, 'In the evening'],
      [`${day}T12:00`, 'At noon of the next day'],
    ]);
  });
});

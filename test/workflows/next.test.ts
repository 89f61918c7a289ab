import { describe, expect, it } from 'vitest';
import { readCampaignView, readViewClock } from '../../api/views/campaign-view.ts';
import { at, DAY_MS, HOUR_MS, useWorkflowWorld } from './use-workflow-world.ts';
import { type CampaignUnderTest, launchCampaign } from './workflow-world.ts';

const { world, strike } = useWorkflowWorld();
const MINUTE_MS = 60_000;
/** How long before and after the instant that was named somebody looks. */
const MARGIN_MS = 5_000;

/** What the API would say happens next with the campaign and its first message, with the instant in milliseconds. */
async function nextOf(campaign: CampaignUnderTest) {
  const now = await world().now();
  const view = await campaign.inside(async (trx) =>
    readCampaignView(
      trx,
      await campaign.campaign(),
      await readViewClock(trx, campaign.account.accountId, now),
    ),
  );
  const [message] = view.messages;
  if (message === undefined) throw new Error('The campaign has no message.');
  const instantOf = (step: { readonly at: string | null }) => (step.at === null ? null : Date.parse(step.at));
  return {
    campaign: { ...view.next, at: instantOf(view.next) },
    message: { ...message.next, at: instantOf(message.next) },
    status: view.status,
  };
}

/** Passes to shortly before the instant, checks that nothing has happened yet, and passes it. */
async function passInstant(instant: number | null, before: () => Promise<void> | void): Promise<void> {
  if (instant === null) throw new Error('There is no instant.');
  expect(instant).toBeGreaterThan((await world().now()) + MARGIN_MS);
  await world().passUntil(instant - MARGIN_MS);
  await before();
  await world().passUntil(instant + MARGIN_MS);
}

/** The stroke of an hour to the second, as schedules and quiet hours are. */
const strikeOf = async (hour: number): Promise<number> => Math.floor((await strike(hour)) / 1_000) * 1_000;

const nobodyIsTexted = (): void => expect(world().texts).toEqual([]);

function launch(contacts: number, instant: number, more: { readonly expiresAfterMs?: number } = {}) {
  return launchCampaign(
    world(),
    { contacts },
    { start: 'scheduled', messages: [{ text: 'Hello', schedule: at(instant), ...more }] },
  );
}

const quietFrom = (campaign: CampaignUnderTest, time: string) =>
  campaign.inside((trx) =>
    trx
      .updateTable('accounts')
      .set({ quiet_start: time })
      .where('id', '=', campaign.account.accountId)
      .execute(),
  );

describe('at the instant that is named as next', () => {
  it('a scheduled message begins, for as many as are counted then', async () => {
    const morning = await strikeOf(10);
    const campaign = await launch(4, morning + HOUR_MS);
    await world().pass(MINUTE_MS);
    const early = await nextOf(campaign);
    expect(early.message).toMatchObject({ what: 'send', at: morning + HOUR_MS, count: null });
    await world().passUntil(morning + 50 * MINUTE_MS);
    const { message } = await nextOf(campaign);
    expect(message).toMatchObject({ what: 'send', at: morning + HOUR_MS, count: 4 });
    await passInstant(message.at, nobodyIsTexted);
    expect(world().texts).toHaveLength(4);
  });

  it('a message that is due in quiet hours begins as they end', async () => {
    const evening = await strikeOf(19);
    const campaign = await launch(3, evening + 50 * MINUTE_MS);
    await quietFrom(campaign, '19:45');
    await world().pass(MINUTE_MS);
    const before = await nextOf(campaign);
    await world().pass(2 * HOUR_MS);
    const during = await nextOf(campaign);
    expect(before.message).toMatchObject({ what: 'send', at: evening + 13 * HOUR_MS });
    expect(during.message).toMatchObject({ what: 'go on', at: evening + 13 * HOUR_MS, count: 3 });
    expect(during.message.why).toContain('America/New_York');
    expect(during.campaign.at).toBe(during.message.at);
    await passInstant(during.message.at, nobodyIsTexted);
    expect(world().texts).toHaveLength(3);
  });

  it('whom the carrier has not taken is tried again', async () => {
    const morning = await strikeOf(10);
    world().answer = () => ({ kind: 'not_accepted', cause: 'not_written', retryAfterMs: HOUR_MS });
    const campaign = await launch(2, morning + HOUR_MS);
    await world().passUntil(morning + HOUR_MS + MARGIN_MS);
    const { message } = await nextOf(campaign);
    expect(message).toMatchObject({ what: 'try again', count: 2 });
    world().answer = () => ({ kind: 'accepted', uuids: ['uuid'], invalidNumbers: [] });
    await passInstant(message.at, nobodyIsTexted);
    expect(world().texts).toHaveLength(2);
  });

  it('who is left expires when the window opens too late for him', async () => {
    const evening = await strikeOf(19);
    const campaign = await launch(4, evening + 50 * MINUTE_MS, { expiresAfterMs: 2 * HOUR_MS });
    await quietFrom(campaign, '19:45');
    await world().pass(HOUR_MS);
    const { message, campaign: step } = await nextOf(campaign);
    expect(message).toMatchObject({ what: 'expire', at: evening + 170 * MINUTE_MS, count: 4 });
    expect(step.what).toBe('expire message 1');
    await passInstant(message.at, async () => expect(await campaign.report()).toMatchObject({ expired: 0 }));
    expect(await campaign.report()).toMatchObject({ expired: 4 });
    nobodyIsTexted();
  });

  it('a campaign whose last reports do not come is finished', async () => {
    const morning = await strikeOf(10);
    const campaign = await launch(2, morning + HOUR_MS);
    await world().passUntil(morning + HOUR_MS + MINUTE_MS);
    const { message, campaign: step } = await nextOf(campaign);
    expect(message).toMatchObject({ what: 'await reports', count: 2 });
    expect(step).toMatchObject({ what: 'finish', at: message.at, count: 2 });
    await passInstant(step.at, async () => expect(await campaign.status()).toBe('started'));
    expect(await campaign.status()).toBe('finished');
    expect((await nextOf(campaign)).message).toMatchObject({ what: 'nothing', at: null });
  });
});

it('without an instant nothing happens, however long it lasts, until somebody acts', async () => {
  const morning = await strikeOf(10);
  const campaign = await launch(2, morning + HOUR_MS);
  await campaign.order('pause');
  for (const ms of [MINUTE_MS, 2 * HOUR_MS, DAY_MS]) {
    await world().pass(ms);
    const { message, campaign: step, status } = await nextOf(campaign);
    expect(status).toBe('paused');
    expect(step).toMatchObject({ what: 'resume', at: null });
    expect(message).toMatchObject({ what: 'resume', at: null });
    nobodyIsTexted();
  }
});

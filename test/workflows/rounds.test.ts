import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { readRounds } from '../../db/rounds.ts';
import { suppress } from '../../db/suppressions.ts';
import { numberOf } from '../support/seed.ts';
import { tell } from './carrier-reports.ts';
import { HOUR_MS, useWorkflowWorld } from './use-workflow-world.ts';
import { type CampaignUnderTest, launchCampaign } from './workflow-world.ts';

const MINUTE_MS = 60_000;
const { world, strike } = useWorkflowWorld();

/** A finished campaign to three, of whom the first is unknown and the others were delivered. */
async function finishedWithUnknown(): Promise<CampaignUnderTest> {
  await strike(10);
  world().answer = ({ to }) =>
    to[0] === numberOf(0)
      ? { kind: 'unknown', cause: 'reset' }
      : { kind: 'accepted', uuids: ['uuid'], invalidNumbers: [] };
  const campaign = await launchCampaign(
    world(),
    { contacts: 3 },
    { start: 'now', messages: [{ text: 'Hi {{firstName}}' }] },
  );
  // Time stands still while nobody passes it, and a lane may have to wait for a moment.
  await world().pass(MINUTE_MS);
  expect(await campaign.messages()).toMatchObject([{ status: 'sent' }]);
  await tell(world(), campaign, await known(campaign), 'delivered');
  await world().pass(HOUR_MS);
  expect(await campaign.status()).toBe('finished');
  expect(await campaign.report()).toMatchObject({ accepted: 2, delivered: 2, unknown: 1 });
  world().answer = () => ({ kind: 'accepted', uuids: ['uuid'], invalidNumbers: [] });
  world().texts.length = 0;
  return campaign;
}

const recipientsWhere = (campaign: CampaignUnderTest, isFirst: boolean) =>
  campaign.inside(async (trx) => {
    const rows = await sql<{ recipient: number }>`
      select recipient from recipients where (number = ${numberOf(0)}) = ${isFirst} order by 1`.execute(trx);
    return rows.rows.map(({ recipient }) => recipient);
  });
const known = (campaign: CampaignUnderTest) => recipientsWhere(campaign, false);
const doubtful = (campaign: CampaignUnderTest) => recipientsWhere(campaign, true);
const roundsOf = (campaign: CampaignUnderTest) =>
  campaign.inside((trx) => readRounds(trx, campaign.campaignId));

describe('a round of unknown ones', () => {
  it('texts exactly those who were unknown, once, and finishes the campaign again', async () => {
    const campaign = await finishedWithUnknown();
    expect(await campaign.order('resend_unknown')).toMatchObject({ state: 'applied' });
    await world().pass(MINUTE_MS);
    expect(world().texts.map(({ to }) => to)).toEqual([numberOf(0)]);
    await tell(world(), campaign, await doubtful(campaign), 'delivered');
    await world().pass(HOUR_MS);
    expect(await campaign.status()).toBe('finished');
    expect(await campaign.report()).toMatchObject({ accepted: 3, delivered: 3, unknown: 0, waiting: 0 });
    expect(await roundsOf(campaign)).toMatchObject([
      { number: 1, kind: 'resend_unknown', recipients: 1, accepted: 1, delivered: 1, waiting: 0 },
    ]);
    await world().pass(24 * HOUR_MS);
    expect(world().texts).toHaveLength(1);
  });

  it('is not ordered twice, nor while the campaign runs, nor when nobody is unknown', async () => {
    const campaign = await finishedWithUnknown();
    const both = await Promise.all([campaign.order('resend_unknown'), campaign.order('resend_unknown')]);
    expect(both.map(({ state }) => state).toSorted()).toEqual(['applied', 'refused']);
    await world().pass(HOUR_MS);
    expect(world().texts).toHaveLength(1);
    expect(await campaign.status()).toBe('finished');
    const nobody = (state: string) => ({ state: 'refused', reason: `Nobody of it is ${state}.` });
    expect(await campaign.order('resend_unknown')).toEqual(nobody('unknown'));
    expect(await campaign.order('retry_failed')).toEqual(nobody('failed'));
  });

  it('leaves out whose text is proved meanwhile, and counts him by that text', async () => {
    const campaign = await finishedWithUnknown();
    await strike(21);
    await campaign.order('resend_unknown');
    await world().pass(MINUTE_MS);
    expect(world().texts, 'it waits for quiet hours to end').toEqual([]);
    expect(await campaign.report()).toMatchObject({ unknown: 1, waiting: 0, deferred: 0 });
    await tell(world(), campaign, await doubtful(campaign), 'delivered');
    await world().pass(24 * HOUR_MS);
    expect(world().texts).toEqual([]);
    expect(await campaign.status()).toBe('finished');
    expect(await campaign.report()).toMatchObject({ accepted: 3, delivered: 3, unknown: 0 });
    expect(await roundsOf(campaign)).toMatchObject([{ recipients: 1, leftOut: 1, accepted: 0, waiting: 0 }]);
  });

  it('leaves out who has opted out, and he stays unknown', async () => {
    const campaign = await finishedWithUnknown();
    const { accountId, actor } = campaign.account;
    await campaign.inside(async (trx) => {
      const rows = await sql<{ hash: Buffer }>`
        select number_hash as hash from recipients where number = ${numberOf(0)}`.execute(trx);
      const numberHash = rows.rows[0]?.hash ?? Buffer.alloc(0);
      const optOut = { kind: 'opt_out', senderId: null, source: 'api', actor, number: null } as const;
      await suppress(trx, { accountId, numberHash, ...optOut });
    });
    await campaign.order('resend_unknown');
    await world().pass(HOUR_MS);
    expect(world().texts).toEqual([]);
    expect(await campaign.report()).toMatchObject({ accepted: 2, unknown: 1, skipped: [] });
    expect(await roundsOf(campaign)).toMatchObject([{ recipients: 1, leftOut: 1 }]);
  });

  it('that is unknown again can be followed by another', async () => {
    const campaign = await finishedWithUnknown();
    world().answer = () => ({ kind: 'unknown', cause: 'timeout' });
    await campaign.order('resend_unknown');
    await world().pass(HOUR_MS);
    expect(await campaign.report()).toMatchObject({ accepted: 2, unknown: 1 });
    world().answer = () => ({ kind: 'accepted', uuids: ['uuid'], invalidNumbers: [] });
    await campaign.order('resend_unknown');
    await world().pass(HOUR_MS);
    expect(await campaign.report()).toMatchObject({ accepted: 3, unknown: 0 });
    expect(await roundsOf(campaign)).toMatchObject([
      { number: 1, unknown: 1, accepted: 0 },
      { number: 2, unknown: 0, accepted: 1 },
    ]);
  });

  it('is paused, and goes on, as any campaign', async () => {
    const campaign = await finishedWithUnknown();
    await strike(21);
    await campaign.order('resend_unknown');
    await campaign.order('pause');
    await world().pass(24 * HOUR_MS);
    expect(world().texts).toEqual([]);
    await strike(9);
    await campaign.order('resume');
    await world().pass(HOUR_MS);
    expect(await roundsOf(campaign)).toMatchObject([{ recipients: 1 }]);
  });
});

describe('a round of failed ones', () => {
  it('tries again whoever failed after the end, under a new attempt, and nobody else', async () => {
    await strike(10);
    const campaign = await launchCampaign(
      world(),
      { contacts: 3 },
      { start: 'now', messages: [{ text: 'Hi {{firstName}}' }] },
    );
    await world().pass(MINUTE_MS);
    await tell(world(), campaign, [1, 2], 'delivered');
    await world().pass(HOUR_MS);
    expect(await campaign.status()).toBe('finished');
    await tell(world(), campaign, [3], 'failed', '50');
    world().texts.length = 0;
    await campaign.order('retry_failed');
    await world().pass(MINUTE_MS);
    expect(world().texts).toHaveLength(1);
    await tell(world(), campaign, [3], 'delivered');
    await world().pass(HOUR_MS);
    expect(await campaign.report()).toMatchObject({ accepted: 3, delivered: 3, failed: [] });
    expect(await roundsOf(campaign)).toMatchObject([
      { kind: 'retry_failed', recipients: 1, accepted: 1, delivered: 1 },
    ]);
  });
});

import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCampaignActivities } from '../../activities/campaign-activities.ts';
import { machineClock } from '../../activities/machine-clock.ts';
import { createReportActivities, lookEveryMs } from '../../activities/report-activities.ts';
import { createReportWatches } from '../../activities/report-watches.ts';
import { planMessage } from '../../db/message-plan.ts';
import { applyStatusReports } from '../../db/status-reports.ts';
import { UNLIMITED } from '../../domain/dispatch/at-once.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import { SETTLE_MS } from '../../domain/schedule.ts';
import { type LedgerWorld, NOON, openLedgerWorld, statusReportOf } from '../dispatch/ledger-world.ts';

const WATCHES_MAX = 100;
const FOR_LONG_MS = 600_000;

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

test('campaigns that end by the thousand leave slots to lanes: some watch for the last reports, others look once', async () => {
  const campaign = await world.freeze(1);
  const lease = await campaign.lease();
  await campaign.record(lease, 'accepted');
  const { awaitReports } = createReportActivities({ db: world.db, watches: createReportWatches() });
  const input = { accountId: campaign.account.accountId, campaignId: campaign.campaignId };
  const watch = () => new MockActivityEnvironment().run(awaitReports, { ...input, waitMs: FOR_LONG_MS });

  const watching = Array.from({ length: WATCHES_MAX }, watch);
  expect(await watch()).toBe(false);
  expect(await watch()).toBe(false);

  await applyStatusReports({ db: world.db, crash: noCrash }, [
    statusReportOf(campaign, lease, { status: 'delivered' }),
  ]);
  expect(new Set(await Promise.all(watching))).toEqual(new Set([true]));
  expect(await watch()).toBe(true);
});

test('a campaign of a crowd sleeps until its reports are due, without an activity that looks once too early', async () => {
  const { account, campaignId, messageId, inside, lease, record } = await world.freeze(1);
  const { accountId } = account;
  const watches = createReportWatches();
  const { stepCampaign } = createCampaignActivities({
    db: world.db,
    crash: noCrash,
    watches,
    machine: machineClock,
    // Only a resume asks the carrier.
    carriers: { account: () => Promise.reject(new Error('Nobody asks.')) },
    atOnce: UNLIMITED,
  });
  const input = { accountId, campaignId, at: NOON, running: [], poked: false, signals: [], asked: [] };
  const step = () => new MockActivityEnvironment().run(stepCampaign, input);

  await record(await lease(), 'accepted');
  // Later than the lane was asked for, as the plan that follows it is.
  const endedAt = NOON + 1;
  await inside((trx) => planMessage(trx, { accountId, campaignId, messageId, at: endedAt }));
  for (let begun = 0; begun < WATCHES_MAX - 1; begun += 1) watches.begin();
  expect(await step()).toMatchObject({ kind: 'settle', wakeAt: endedAt + SETTLE_MS });
  const end = watches.begin();
  expect(await step()).toMatchObject({ kind: 'run', wakeAt: endedAt + SETTLE_MS });
  end();
  expect(await step()).toMatchObject({ kind: 'settle' });
});

test.each([
  [1, 500],
  [10, 500],
  [40, 2_000],
  [100, 5_000],
])('%i watches look for reports every %i ms, so that many cost no more than ten', (watches, everyMs) => {
  expect(lookEveryMs(watches)).toBe(everyMs);
});

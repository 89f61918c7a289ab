import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createReportActivities, lookEveryMs } from '../../activities/report-activities.ts';
import { applyStatusReports } from '../../db/status-reports.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import { type LedgerWorld, openLedgerWorld, statusReportOf } from '../dispatch/ledger-world.ts';

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
  const { awaitReports } = createReportActivities({ db: world.db });
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

test.each([
  [1, 500],
  [10, 500],
  [40, 2_000],
  [100, 5_000],
])('%i watches look for reports every %i ms, so that many cost no more than ten', (watches, everyMs) => {
  expect(lookEveryMs(watches)).toBe(everyMs);
});

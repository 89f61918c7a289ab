import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyStatusReports, type StatusReport } from '../../db/status-reports.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import type { Lease } from '../../domain/dispatch/dispatch-store.ts';
import { type FrozenCampaign, type LedgerWorld, openLedgerWorld, statusReportOf } from './ledger-world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

const apply = (reports: readonly StatusReport[]) =>
  applyStatusReports({ db: world.db, crash: noCrash }, reports);

function reportsOf(
  campaign: FrozenCampaign,
  lease: Lease,
  status: StatusReport['status'],
  billedMicroUsd: number | null = null,
): StatusReport[] {
  const errorCode = status === 'delivered' ? null : '300';
  return lease.recipients.map((person) =>
    statusReportOf(campaign, lease, { status, errorCode, billedMicroUsd }, person),
  );
}

/** What the campaign and the account have spent, in texts. */
async function textsSpent(campaign: FrozenCampaign, lease: Lease): Promise<[number, number]> {
  const cost = lease.recipients[0]?.costMicroUsd ?? 0;
  return campaign.inside(async (trx) => {
    const own = await trx
      .selectFrom('campaign_spends')
      .where('campaign_id', '=', campaign.campaignId)
      .select('spent_micro_usd as spent')
      .executeTakeFirstOrThrow();
    const account = await trx
      .selectFrom('spend_months')
      .select('spent_micro_usd as spent')
      .executeTakeFirstOrThrow();
    return [own.spent / cost, account.spent / cost];
  });
}

test('a text that was never handed over is given back to the budget and the account, once, in whatever order', async () => {
  const campaign = await world.freeze(2);
  const lease = await campaign.lease();
  expect(await textsSpent(campaign, lease)).toEqual([2, 2]);
  const failed = reportsOf(campaign, lease, 'failed');
  expect(await apply(failed)).toEqual(['applied', 'applied']);
  expect(await textsSpent(campaign, lease)).toEqual([0, 0]);
  await campaign.record(lease, 'accepted');
  expect(await apply(failed)).toEqual(['repeated', 'repeated']);
  expect(await apply(reportsOf(campaign, lease, 'delivered'))).toEqual(['repeated', 'repeated']);
  expect(await textsSpent(campaign, lease)).toEqual([0, 0]);
});

test('a report tells the same of texts of several lengths, whether reports or records came first', async () => {
  const told = await Promise.all(
    [true, false].map(async (comesFirst) => {
      const campaign = await world.freeze(2);
      await campaign.inside((trx) =>
        trx
          .updateTable('contacts')
          .set({ first_name: 'Maximilian '.repeat(36) })
          .where('first_name', '=', 'Name1')
          .execute(),
      );
      const lease = await campaign.lease();
      expect(new Set(lease.recipients.map(({ segments }) => segments))).toEqual(new Set([1, 3]));
      if (!comesFirst) await campaign.record(lease, 'accepted');
      await apply(reportsOf(campaign, lease, 'delivered', 7_700));
      if (comesFirst) await campaign.record(lease, 'accepted');
      return campaign.report();
    }),
  );
  expect(told[0]).toEqual(told[1]);
  expect(told[0]?.segments).toBe(4);
});

test('a text that may have arrived, or is billed although it failed, stays spent', async () => {
  const campaign = await world.freeze(4);
  const first = await campaign.lease();
  const second = await campaign.lease();
  await apply(reportsOf(campaign, first, 'undelivered'));
  await apply(reportsOf(campaign, second, 'failed', 500));
  // A failure that comes after the first final word says nothing new.
  await apply(reportsOf(campaign, first, 'failed'));
  expect(await textsSpent(campaign, first)).toEqual([4, 4]);
});

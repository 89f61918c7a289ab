import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPostgresDispatchStore } from '../../db/dispatch/postgres-store.ts';
import { inFlight } from '../../db/in-flight.ts';
import { applyStatusReports } from '../../db/status-reports.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import {
  type FrozenCampaign,
  type LedgerWorld,
  NOON,
  openLedgerWorld,
  resultsOf,
  statusReportOf,
  uuidOf,
} from './ledger-world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(async () => {
  await world.close();
});

/** Where everybody stands, and how many a hold would name. */
async function countsOf(campaign: FrozenCampaign): Promise<Record<string, number>> {
  const report = await campaign.report();
  return {
    accepted: report.accepted,
    deferred: report.deferred,
    inFlight: report.inFlight,
    waiting: report.waiting,
    held: await campaign.inside((trx) => inFlight(trx, { scope: 'campaign', scopeId: campaign.campaignId })),
  };
}

test('a report that overtakes the record of its post counts nobody twice', async () => {
  const campaign = await world.freeze(3);
  const lease = await campaign.lease();
  expect(await countsOf(campaign)).toEqual({ accepted: 0, deferred: 0, inFlight: 2, held: 2, waiting: 1 });

  const verdicts = await applyStatusReports({ db: world.db, crash: noCrash }, [
    statusReportOf(campaign, lease, { status: 'delivered', billedMicroUsd: 100 }),
  ]);
  expect(verdicts).toEqual(['applied']);
  expect(await countsOf(campaign)).toEqual({ accepted: 1, deferred: 0, inFlight: 1, held: 1, waiting: 1 });

  await campaign.record(lease, 'accepted');
  expect(await countsOf(campaign)).toEqual({ accepted: 2, deferred: 0, inFlight: 0, held: 0, waiting: 1 });
});

test('whoever is tried again is either deferred or in flight, never both', async () => {
  const campaign = await world.freeze(2);
  await campaign.record(await campaign.lease(), 'not_accepted', NOON + 1_000);
  expect(await countsOf(campaign)).toEqual({ accepted: 0, deferred: 2, inFlight: 0, held: 0, waiting: 0 });

  const again = await campaign.lease(NOON + 1_000);
  expect(again.recipients.map((person) => person.attempt)).toEqual([2, 2]);
  expect(await countsOf(campaign)).toEqual({ accepted: 0, deferred: 0, inFlight: 2, held: 2, waiting: 0 });

  await campaign.record(again, 'accepted');
  expect(await countsOf(campaign)).toEqual({ accepted: 2, deferred: 0, inFlight: 0, held: 0, waiting: 0 });
});

test.each(['first', 'last'] as const)(
  'a lease is closed with its last result, also where a report on its %s was faster',
  async (which) => {
    const campaign = await world.freeze(2);
    const lease = await campaign.lease();
    const store = createPostgresDispatchStore({ db: world.db, crash: noCrash, mediaUrl: (token) => token });
    const [first, last] = resultsOf(lease, 'accepted').map((result) => [result]);
    if (first === undefined || last === undefined) throw new Error('The lease holds two.');
    const person = lease.recipients[which === 'first' ? 0 : 1];
    await applyStatusReports({ db: world.db, crash: noCrash }, [
      statusReportOf(campaign, lease, { status: 'delivered', uuid: uuidOf(person?.recipient ?? 0) }, person),
    ]);
    const isClosed = async (): Promise<boolean | undefined> => {
      const { rows } = await campaign.inside((trx) =>
        sql<{ isClosed: boolean }>`
          select closed_at is not null as "isClosed" from leases where id = ${lease.id}`.execute(trx),
      );
      return rows[0]?.isClosed;
    };
    await store.record(lease, first, NOON);
    expect(await isClosed()).toBe(false);
    // The same once more, as where the answer to a write was lost, closes it only if nobody is left.
    await store.record(lease, first, NOON);
    expect(await isClosed()).toBe(which === 'last');
    await store.record(lease, last, NOON);
    expect(await isClosed()).toBe(true);
    expect(await countsOf(campaign)).toMatchObject({ accepted: 2, inFlight: 0 });
  },
);

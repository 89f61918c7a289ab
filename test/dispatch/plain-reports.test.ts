import * as fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyPlainReports } from '../../db/plain-reports.ts';
import { applyStatusReports, type StatusReport } from '../../db/status-reports.ts';
import { describeErrorCode } from '../../domain/error-codes.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import type { AttemptResult, Lease } from '../../domain/dispatch/dispatch-store.ts';
import { type FrozenCampaign, type LedgerWorld, openLedgerWorld, statusReportOf } from './ledger-world.ts';

const LEASES = 2;

/** What the carrier may say, of whom, and whether it names a uuid or a person that has nothing to do with the post. */
const said = fc.record({
  lease: fc.nat({ max: LEASES - 1 }),
  person: fc.nat({ max: 1 }),
  status: fc.constantFrom('queued', 'sent', 'delivered', 'undelivered', 'failed', 'rejected'),
  errorCode: fc.constantFrom(null, '80', '70', '30'),
  billedMicroUsd: fc.constantFrom(null, 0, 7_700),
  stranger: fc.constantFrom('no', 'no', 'no', 'uuid', 'person'),
});
const batches = fc.array(fc.array(said, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 3 });
const results = fc.array(fc.constantFrom('accepted', 'in bulk', 'unknown', 'rejected', null), {
  minLength: LEASES,
  maxLength: LEASES,
});

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

/** A campaign whose leases have these results; null is not recorded yet, and who was accepted in bulk has no uuid. */
async function posted(
  recorded: readonly (AttemptResult['result'] | 'in bulk' | null)[],
): Promise<[FrozenCampaign, Lease[]]> {
  const campaign = await world.freeze(2 * LEASES);
  const leases: Lease[] = [];
  for (const result of recorded) {
    const lease = await campaign.lease();
    if (result === 'in bulk') await campaign.record(lease, 'accepted');
    else if (result !== null) await campaign.record(lease, result);
    if (result === 'in bulk') {
      await campaign.inside((trx) =>
        trx.updateTable('attempts').set({ carrier_uuid: null }).where('lease_id', '=', lease.id).execute(),
      );
    }
    leases.push(lease);
  }
  return [campaign, leases];
}

type Said = typeof said extends fc.Arbitrary<infer Value> ? Value : never;

function reportsOf(
  campaign: FrozenCampaign,
  leases: readonly Lease[],
  batch: readonly Said[],
): StatusReport[] {
  return batch.map(({ lease: number, person, stranger, ...told }) => {
    const lease = leases[number];
    const of = leases[stranger === 'person' ? 1 - number : number]?.recipients[person];
    if (lease === undefined) throw new Error('There is no such lease.');
    const report = statusReportOf(campaign, lease, told, of);
    return stranger === 'uuid' ? { ...report, uuid: 'uuid-of-somebody-else' } : report;
  });
}

/** The same reports, one by one by the function that takes every kind. */
async function applyOneByOne(reports: readonly StatusReport[]): Promise<string[]> {
  const rows = reports.map((report, index) => ({
    index,
    account: report.accountId,
    month: report.post.month,
    lease: report.post.leaseId,
    number: report.to,
    hash: report.toHash.toString('hex'),
    uuid: report.uuid,
    status: report.status === 'rejected' ? 'failed' : report.status,
    code: report.errorCode,
    suppress: report.errorCode === null ? null : describeErrorCode(report.errorCode).suppresses,
    retries: false,
    units: report.units,
    billed: report.billedMicroUsd,
  }));
  const verdicts: string[] = [];
  const result = await sql<{ index: number; verdict: string }>`
    select index, verdict from apply_status_reports(${JSON.stringify(rows)}::jsonb)`.execute(world.db);
  for (const { index, verdict } of result.rows) verdicts[index] = verdict;
  return verdicts;
}

const outcomesOf = (campaign: FrozenCampaign) =>
  campaign.inside(async (trx) => {
    const { rows } = await sql<Record<string, unknown>>`
      select o.recipient, o.attempt, o.stage, o.status, o.reason, o.carrier_uuid, o.units, o.billed_micro_usd
      from outcomes o join messages m on m.key = o.message_key where m.id = ${campaign.messageId}
      order by 1, 2, 3`.execute(trx);
    return rows;
  });

describe('reports that are applied together', () => {
  it.each([['accepted'], ['in bulk']] as const)(
    'are all taken by one statement where nothing follows from them: of who was %s',
    async (result) => {
      const [campaign, [lease]] = await posted([result]);
      if (lease === undefined) throw new Error('There is no lease.');
      const rows = lease.recipients.map((person, index) => ({
        index,
        account: campaign.account.accountId,
        month: lease.month,
        lease: lease.id,
        hash: person.numberHash,
        uuid: statusReportOf(campaign, lease, { status: 'delivered' }, person).uuid,
        status: 'delivered' as const,
        code: null,
        suppress: null,
        units: 1,
        billed: 7_700,
      }));
      const taken = await campaign.inside((trx) => applyPlainReports(trx, rows));
      expect(taken).toEqual(rows.map(({ index }) => ({ index, verdict: 'applied' })));
    },
  );

  it('bind whoever was posted in bulk form to the first uuid that the batch names', async () => {
    const [campaign, [lease]] = await posted(['in bulk']);
    if (lease === undefined) throw new Error('There is no lease.');
    const told = [
      { status: 'sent', uuid: 'uuid-one' },
      { status: 'delivered', uuid: 'uuid-other' },
      { status: 'delivered', uuid: 'uuid-one' },
    ] as const;
    const reports = told.map((one) => statusReportOf(campaign, lease, one));
    const verdicts = await applyStatusReports({ db: world.db, crash: noCrash }, reports);
    expect(verdicts).toEqual(['applied', 'mismatch', 'applied']);
  });

  it('leave what they would one by one, whatever comes in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(results, batches, async (recorded, told) => {
        const [one, leasesOfOne] = await posted(recorded);
        const [other, leasesOfOther] = await posted(recorded);
        for (const batch of told) {
          const together = await applyStatusReports(
            { db: world.db, crash: noCrash },
            reportsOf(one, leasesOfOne, batch),
          );
          expect(together).toEqual(await applyOneByOne(reportsOf(other, leasesOfOther, batch)));
        }
        expect(await outcomesOf(one)).toEqual(await outcomesOf(other));
        expect(await one.report()).toEqual(await other.report());
      }),
      { numRuns: 25 },
    );
  }, 120_000);
});

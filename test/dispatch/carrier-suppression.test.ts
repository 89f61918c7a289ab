import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { erasePerson } from '../../db/erase-person.ts';
import { applyStatusReports, type StatusReport } from '../../db/status-reports.ts';
import { listSuppressionHistory } from '../../db/suppression-history.ts';
import { suppress, suppressionsOf } from '../../db/suppressions.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import type { Lease, LeasedRecipient } from '../../domain/dispatch/dispatch-store.ts';
import { type FrozenCampaign, type LedgerWorld, openLedgerWorld, statusReportOf } from './ledger-world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

const apply = (reports: readonly StatusReport[]) =>
  applyStatusReports({ db: world.db, crash: noCrash }, reports);

const kindsOf = (campaign: FrozenCampaign, person: LeasedRecipient) =>
  campaign.inside(async (trx) => {
    const hash = Buffer.from(person.numberHash, 'hex');
    const found = await suppressionsOf(trx, campaign.account.accountId, hash);
    return found.map(({ kind, source, number }) => ({ kind, source, number }));
  });

async function leaseOfTwo(): Promise<{
  campaign: FrozenCampaign;
  lease: Lease;
  first: LeasedRecipient;
  second: LeasedRecipient;
}> {
  const campaign = await world.freeze(2);
  const lease = await campaign.lease();
  const [first, second] = lease.recipients;
  if (first === undefined || second === undefined) throw new Error('Nobody was leased.');
  return { campaign, lease, first, second };
}

describe("the carrier's final word about a number", () => {
  it.each([
    ['070', 'undelivered', 'undeliverable'],
    ['70', 'failed', 'undeliverable'],
    ['200', 'failed', 'opt_out'],
  ] as const)('with code %s as %s suppresses it as %s, and no other', async (code, status, kind) => {
    const { campaign, lease, first, second } = await leaseOfTwo();
    await campaign.record(lease, 'accepted');
    const reports = [
      statusReportOf(campaign, lease, { status, errorCode: code }, first),
      statusReportOf(campaign, lease, { status: 'failed', errorCode: '300' }, second),
    ];
    expect(await apply(reports)).toEqual(['applied', 'applied']);
    expect(await kindsOf(campaign, first)).toEqual([{ kind, source: 'carrier', number: first.number }]);
    expect(await kindsOf(campaign, second)).toEqual([]);
    expect(await apply(reports)).toEqual(['repeated', 'repeated']);
    const changes = await campaign.inside((trx) =>
      listSuppressionHistory(trx, {
        accountId: campaign.account.accountId,
        numberHash: Buffer.from(first.numberHash, 'hex'),
        afterKey: 0,
        limit: 10,
      }),
    );
    expect(changes).toMatchObject([
      { what: 'added', kind, source: 'carrier', reason: `The carrier reported code ${code}.` },
    ]);
  });

  it('says nothing about the number when the text was delivered', async () => {
    const { campaign, lease, first } = await leaseOfTwo();
    await apply([statusReportOf(campaign, lease, { status: 'delivered', errorCode: '70' }, first)]);
    expect(await kindsOf(campaign, first)).toEqual([]);
  });

  it('told of two people by two batches at once, in opposite order, is taken from both', async () => {
    const { campaign, lease, first, second } = await leaseOfTwo();
    const told = { status: 'failed', errorCode: '70' } as const;
    const [one, other] = [
      statusReportOf(campaign, lease, told, first),
      statusReportOf(campaign, lease, told, second),
    ];
    const rounds = Array.from({ length: 10 }, (_, round) => (round % 2 === 0 ? [one, other] : [other, one]));
    const verdicts = await Promise.all(rounds.map(apply));
    expect(verdicts.flat().filter((verdict) => verdict === 'applied')).toHaveLength(2);
    expect((await kindsOf(campaign, first)).length + (await kindsOf(campaign, second)).length).toBe(2);
  });

  it('finds somebody who was erased meanwhile by the keyed hash, and writes no number of his again', async () => {
    const { campaign, lease, first } = await leaseOfTwo();
    const { accountId, actor } = campaign.account;
    const numberHash = Buffer.from(first.numberHash, 'hex');
    await campaign.inside(async (trx) => {
      const erased = { kind: 'erased', senderId: null, source: 'api', actor, number: null } as const;
      await suppress(trx, { accountId, numberHash, ...erased });
      await erasePerson(trx, { accountId, number: first.number, numberHash });
    });
    const reports = [statusReportOf(campaign, lease, { status: 'failed', errorCode: '70' }, first)];
    expect(await apply(reports)).toEqual(['applied']);
    expect(await kindsOf(campaign, first)).toEqual([
      { kind: 'erased', source: 'api', number: null },
      { kind: 'undeliverable', source: 'carrier', number: null },
    ]);
  });

  it('about a text whose post is not on record yet books the share that was claimed for it, once', async () => {
    const { campaign, lease, first } = await leaseOfTwo();
    const costOf = async () => {
      const { costMicroUsd: cost, segments } = await campaign.report();
      return { cost, segments };
    };
    await apply([statusReportOf(campaign, lease, { status: 'delivered', errorCode: null }, first)]);
    expect(await costOf()).toEqual({ cost: first.costMicroUsd, segments: 1 });
    await campaign.record(lease, 'accepted');
    expect(await costOf()).toEqual({ cost: 2 * first.costMicroUsd, segments: 2 });
    const billed = { ...statusReportOf(campaign, lease, { status: 'delivered', errorCode: null }, first) };
    expect(await apply([billed])).toEqual(['repeated']);
    expect(await costOf()).toEqual({ cost: 2 * first.costMicroUsd, segments: 2 });
  });
});

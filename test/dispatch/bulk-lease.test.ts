import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { erasePerson } from '../../db/erase-person.ts';
import { createPostgresDispatchStore } from '../../db/dispatch/postgres-store.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import type { Lease } from '../../domain/dispatch/dispatch-store.ts';
import { type FrozenCampaign, type LedgerWorld, NOON, openLedgerWorld } from './ledger-world.ts';
import { onlyLease } from './only-lease.ts';

const RECIPIENTS = 6;
const TEXT = 'We open again on Saturday.';

let world: LedgerWorld;

beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

interface Frozen {
  readonly recipient: number;
  readonly number: string;
  readonly numberHash: Buffer;
}

async function audienceOf(campaign: FrozenCampaign): Promise<Frozen[]> {
  const { rows } = await campaign.inside((trx) =>
    sql<Frozen>`
      select r.recipient, r.number, r.number_hash as "numberHash"
      from recipients r join campaigns c on c.key = r.campaign_key and c.audience_month = r.month
      where c.id = ${campaign.campaignId} order by r.recipient`.execute(trx),
  );
  return rows;
}

/** A lease of everybody, by a lane that has just begun. */
async function leaseAll({ account, campaignId, messageId }: FrozenCampaign): Promise<Lease> {
  const store = createPostgresDispatchStore({ db: world.db, crash: noCrash, mediaUrl: (token) => token });
  const lane = { accountId: account.accountId, campaignId, messageId, lane: 1 };
  const { fence } = await store.enterLane(lane, NOON);
  return onlyLease(await store.openLeases(lane, fence, NOON, RECIPIENTS));
}

test('where everybody gets the same text, whoever was erased or has opted out is left out, and each other one is texted at his own number', async () => {
  const campaign = await world.freeze(RECIPIENTS, TEXT);
  const audience = await audienceOf(campaign);
  const [, erased, , barred] = audience;
  if (erased === undefined || barred === undefined) throw new Error('The audience is too small.');
  const { accountId } = campaign.account;
  await campaign.inside(async (trx) => {
    await erasePerson(trx, { accountId, ...erased });
    await sql`insert into suppressions (account_id, number, number_hash, kind, source)
      values (${accountId}, ${barred.number}, ${barred.numberHash}, 'opt_out', 'inbound')`.execute(trx);
  });
  const lease = await leaseAll(campaign);
  expect(lease.isBulk).toBe(true);
  expect(
    lease.recipients.map(({ recipient, number, numberHash, text }) => ({
      recipient,
      number,
      numberHash,
      text,
    })),
  ).toEqual(
    audience
      .filter((one) => one !== erased && one !== barred)
      .map(({ recipient, number, numberHash }) => ({
        recipient,
        number,
        numberHash: numberHash.toString('hex'),
        text: expect.stringContaining(TEXT) as string,
      })),
  );
  const { skipped } = await campaign.report();
  expect(skipped).toEqual(
    expect.arrayContaining([
      { reason: 'contact_deleted', count: 1 },
      { reason: 'opt_out', count: 1 },
    ]),
  );
});

test('what is written of a bulk request has for each his own cost, and everybody once', async () => {
  const campaign = await world.freeze(RECIPIENTS, TEXT);
  const lease = await leaseAll(campaign);
  // Rates differ by country, and countries come in any order.
  const costOf = (recipient: number): number => 7_700 + (recipient % 3) * 100;
  const store = createPostgresDispatchStore({ db: world.db, crash: noCrash, mediaUrl: (token) => token });
  const results = lease.recipients.map((person) => ({
    recipient: person.recipient,
    attempt: person.attempt,
    request: 0,
    result: 'accepted' as const,
    cause: null,
    carrierUuid: null,
    segments: person.segments,
    costMicroUsd: costOf(person.recipient),
  }));
  await store.record(lease, results, NOON);
  const { rows } = await campaign.inside((trx) =>
    sql<{ recipient: number; cost: number; lease: number; isClosed: boolean }>`
      select a.recipient, a.cost_micro_usd as cost, a.lease_id as lease, l.closed_at is not null as "isClosed"
      from attempts a join leases l on l.month = a.month and l.id = a.lease_id
      where a.lease_id = ${lease.id} order by a.recipient`.execute(trx),
  );
  expect(rows).toEqual(
    lease.recipients.map(({ recipient }) => ({
      recipient,
      cost: costOf(recipient),
      lease: lease.id,
      isClosed: true,
    })),
  );
  const report = await campaign.report();
  expect(report.accepted).toBe(RECIPIENTS);
  expect(report.costMicroUsd).toBe(rows.reduce((sum, { cost }) => sum + cost, 0));
});

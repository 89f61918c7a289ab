import { afterAll, beforeAll, expect, test } from 'vitest';
import { freezeAudience } from '../../db/audience.ts';
import { findCampaign } from '../../db/campaigns.ts';
import { type Db, openDatabase, openPool, type Trx, withAccount } from '../../db/database.ts';
import { createPostgresDispatchStore } from '../../db/dispatch/postgres-store.ts';
import { inFlight } from '../../db/holds.ts';
import { listMessages } from '../../db/messages.ts';
import { prepareCampaign } from '../../db/prepare-campaign.ts';
import { readReports } from '../../db/reports.ts';
import { applyStatusReports } from '../../db/status-reports.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import type { AttemptResult, Lease } from '../../domain/dispatch/dispatch-store.ts';
import { seedAccount, seedCampaign } from '../support/seed.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const NOON = Date.parse('2026-03-03T12:00:00-05:00');

let database: TestDatabase;
let db: Db;
beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase(openPool({ connectionString: database.url, connectionsMax: 10, role: 'carillon_app' }));
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

/** A campaign of so many recipients with its first lease of two. */
async function leaseTwoOf(recipients: number) {
  const account = await seedAccount(db, { contacts: recipients });
  const { campaignId, messageIds } = await seedCampaign(db, account, {
    at: NOON,
    start: 'now',
    messages: [{ text: 'Hi {{firstName}}' }],
  });
  const { accountId } = account;
  const inside = <Result>(work: (trx: Trx) => Promise<Result>): Promise<Result> =>
    withAccount(db, accountId, work);
  await inside((trx) => prepareCampaign(trx, { accountId, campaignId, at: NOON }));
  await inside((trx) => freezeAudience(trx, campaignId, NOON));
  const store = createPostgresDispatchStore({ db, crash: noCrash, mediaUrl: (token) => token });
  const lane = { accountId, campaignId, messageId: messageIds[0] ?? '', lane: 0 };
  const { fence } = await store.enterLane(lane);
  const open = async (at = NOON): Promise<Lease> => {
    const answer = await store.openLease(lane, fence, at, 2);
    if (answer.kind !== 'leased') throw new Error(`No lease: ${answer.kind}.`);
    return answer.lease;
  };
  const report = () =>
    inside(async (trx) => {
      const campaign = await findCampaign(trx, campaignId);
      if (campaign === null) throw new Error('The campaign is not there.');
      const reports = await readReports(trx, campaign, await listMessages(trx, campaignId));
      const { accepted, deferred, waiting, ...rest } = [...reports.values()][0] ?? {
        accepted: -1,
        deferred: -1,
        waiting: -1,
        inFlight: -1,
      };
      return { accepted, deferred, waiting, inFlight: rest.inFlight, held: await inFlight(trx, campaignId) };
    });
  return { store, lease: await open(), open, report, accountId };
}

function resultsOf(lease: Lease, result: AttemptResult['result']): AttemptResult[] {
  return lease.recipients.map((person, request) => ({
    recipient: person.recipient,
    attempt: person.attempt,
    request,
    result,
    cause: null,
    carrierUuid: result === 'accepted' ? `uuid-${person.recipient}-0000` : null,
    segments: person.segments,
    costMicroUsd: person.costMicroUsd,
  }));
}

test('a report that overtakes the record of its post counts nobody twice', async () => {
  const { lease, store, report, accountId } = await leaseTwoOf(3);
  expect(await report()).toEqual({ accepted: 0, deferred: 0, inFlight: 2, held: 2, waiting: 1 });

  const [first] = lease.recipients;
  const verdicts = await applyStatusReports(db, [
    {
      accountId,
      post: { month: lease.month, leaseId: lease.id, request: 0 },
      to: first?.number ?? '',
      uuid: `uuid-${first?.recipient}-0000`,
      status: 'delivered',
      errorCode: null,
      units: 1,
      billedMicroUsd: 100,
    },
  ]);
  expect(verdicts).toEqual(['applied']);
  expect(await report()).toEqual({ accepted: 1, deferred: 0, inFlight: 1, held: 1, waiting: 1 });

  await store.record(lease, resultsOf(lease, 'accepted'), NOON);
  expect(await report()).toEqual({ accepted: 2, deferred: 0, inFlight: 0, held: 0, waiting: 1 });
});

test('whoever is tried again is either deferred or in flight, never both', async () => {
  const { lease, store, report, open } = await leaseTwoOf(2);
  await store.record(lease, resultsOf(lease, 'not_accepted'), NOON + 1_000);
  expect(await report()).toEqual({ accepted: 0, deferred: 2, inFlight: 0, held: 0, waiting: 0 });

  const again = await open(NOON + 1_000);
  expect(again.recipients.map((person) => person.attempt)).toEqual([2, 2]);
  expect(await report()).toEqual({ accepted: 0, deferred: 0, inFlight: 2, held: 2, waiting: 0 });

  await store.record(again, resultsOf(again, 'accepted'), NOON + 2_000);
  expect(await report()).toEqual({ accepted: 2, deferred: 0, inFlight: 0, held: 0, waiting: 0 });
});

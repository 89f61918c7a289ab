import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Trx } from '../../db/database.ts';
import { createPostgresDispatchStore } from '../../db/dispatch/postgres-store.ts';
import { applyStatusReports } from '../../db/status-reports.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import type { DispatchStore, LeasedRecipient } from '../../domain/dispatch/dispatch-store.ts';
import {
  type FrozenCampaign,
  type LedgerWorld,
  NOON,
  openLedgerWorld,
  resultsOf,
  statusReportOf,
} from './ledger-world.ts';
import { lockWaiters } from '../support/lock-waiters.ts';

let world: LedgerWorld;
let store: DispatchStore;
const LOCK_MS_MAX = 20_000;
beforeAll(async () => {
  world = await openLedgerWorld();
  store = createPostgresDispatchStore({ db: world.db, crash: noCrash, mediaUrl: (token) => token });
});
afterAll(() => world.close());

/**
 * Somebody locks `first`, another one does his work and comes to wait for it, then the former locks `second`. It waits
 * for nobody where the other takes both in the same order; else PostgreSQL ends one of them.
 */
async function inOneOrder(
  campaign: FrozenCampaign,
  first: (trx: Trx) => Promise<unknown>,
  work: () => Promise<unknown>,
  second: (trx: Trx) => Promise<unknown>,
): Promise<void> {
  const working = await campaign.inside(async (trx) => {
    await first(trx);
    const begun = work();
    begun.catch(() => undefined);
    await lockWaiters(world.owner, 1, LOCK_MS_MAX);
    await second(trx);
    return { begun };
  });
  await working.begun;
}

test('slowing down a sender locks carrier and pace in the order in which leases do', async () => {
  const campaign = await world.freeze(4);
  const { carrierAccountId, senderId } = campaign.account;
  const lease = await campaign.lease();
  const work = inOneOrder(
    campaign,
    (trx) => sql`select from carrier_accounts where id = ${carrierAccountId} for update`.execute(trx),
    () => store.slowDown(lease, 1_000),
    (trx) => sql`select from sender_paces where sender_id = ${senderId} for update`.execute(trx),
  );
  await expect(work).resolves.toBeUndefined();
});

test('a report that suspends locks the gate before the money, as leases do', async () => {
  const campaign = await world.freeze(4);
  const lease = await campaign.lease();
  await campaign.record(lease, 'accepted');
  const work = inOneOrder(
    campaign,
    (trx) => sql`select from gates where scope_id = ${campaign.campaignId} for share`.execute(trx),
    () =>
      applyStatusReports({ db: world.db, crash: noCrash }, [
        statusReportOf(campaign, lease, { status: 'failed', errorCode: '900' }),
      ]),
    (trx) =>
      sql`select from campaign_spends where campaign_id = ${campaign.campaignId} for update`.execute(trx),
  );
  await expect(work).resolves.toBeUndefined();
});

test.each(['accepted', 'not_accepted'] as const)(
  'what is recorded as %s locks its lease before its attempts, as a fence does',
  async (result) => {
    const campaign = await world.freeze(4);
    const lease = await campaign.lease();
    const [person] = lease.recipients;
    if (person === undefined) throw new Error('Nobody was leased.');
    const work = inOneOrder(
      campaign,
      (trx) => sql`select from leases where id = ${lease.id} for no key update`.execute(trx),
      () => store.record(lease, resultsOf(lease, result), NOON),
      (trx) =>
        sql`
        insert into attempts (month, account_id, message_key, recipient, attempt, lease_id, result, segments, cost_micro_usd)
        values (${lease.month}, ${lease.accountId}, ${lease.messageKey}, ${person.recipient}, 1, ${lease.id}, 'unknown', 1, 1)`.execute(
          trx,
        ),
    );
    await expect(work).resolves.toBeUndefined();
  },
);

test('whoever is tried later is put into his wave before his money is given back, as leases lock them', async () => {
  const campaign = await world.freeze(4);
  const [first, second] = [await campaign.lease(), await campaign.lease()];
  // Makes the later wave that the other lease's people join.
  await store.record(first, resultsOf(first, 'not_accepted'), NOON);
  const work = inOneOrder(
    campaign,
    (trx) =>
      sql`select from waves where message_key = ${second.messageKey} and wave = 1 for update`.execute(trx),
    () => store.record(second, resultsOf(second, 'not_accepted'), NOON),
    (trx) =>
      sql`select from campaign_spends where campaign_id = ${campaign.campaignId} for update`.execute(trx),
  );
  await expect(work).resolves.toBeUndefined();
});

test.each([
  ['in that order', (people: readonly LeasedRecipient[]) => people],
  ['the other way round', (people: readonly LeasedRecipient[]) => people.toReversed()],
] as const)(
  'reports that come %s write attempts in the order of recipients, as whoever records does',
  async (_how, order) => {
    const campaign = await world.freeze(2);
    const lease = await campaign.lease();
    const inOrder = lease.recipients.toSorted((one, other) => one.recipient - other.recipient);
    const [one, other] = inOrder;
    if (one === undefined || other === undefined) throw new Error('Two have to be leased.');
    const write = (recipient: number) => (trx: Trx) =>
      sql`
      insert into attempts (month, account_id, message_key, recipient, attempt, lease_id, result, segments, cost_micro_usd)
      values (${lease.month}, ${lease.accountId}, ${lease.messageKey}, ${recipient}, 1, ${lease.id}, 'unknown', 1, 1)`.execute(
        trx,
      );
    const rollback = new Error('Nothing of it stays.');
    const attempt = campaign.inside(async (trx) => {
      await write(one.recipient)(trx);
      const begun = applyStatusReports(
        { db: world.db, crash: noCrash },
        order(inOrder).map((person) => statusReportOf(campaign, lease, { status: 'sent' }, person)),
      );
      begun.catch(() => undefined);
      await lockWaiters(world.owner, 1, LOCK_MS_MAX);
      await write(other.recipient)(trx);
      throw Object.assign(rollback, { begun });
    });
    await expect(attempt).rejects.toBe(rollback);
    await (rollback as Error & { begun?: Promise<unknown> }).begun;
  },
);

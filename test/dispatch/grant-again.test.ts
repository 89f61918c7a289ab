import { afterAll, beforeAll, expect, test } from 'vitest';
import { insertQuota, setSenderQuotas } from '../../db/quotas.ts';
import { createPostgresDispatchStore } from '../../db/dispatch/postgres-store.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import type { DispatchStore, Lease } from '../../domain/dispatch/dispatch-store.ts';
import { type FrozenCampaign, type LedgerWorld, openLedgerWorld } from './ledger-world.ts';

let world: LedgerWorld;
let store: DispatchStore;
beforeAll(async () => {
  world = await openLedgerWorld();
  store = createPostgresDispatchStore({ db: world.db, crash: noCrash, mediaUrl: (token) => token });
});
afterAll(() => world.close());

/** What limits the sender in one way only. */
const LIMITS: Readonly<Record<string, (campaign: FrozenCampaign) => Promise<unknown>>> = {
  'the pace of its sender': ({ inside, account }) =>
    inside((trx) =>
      trx.updateTable('senders').set({ segments_per_second: 1 }).where('id', '=', account.senderId).execute(),
    ),
  "the carrier's limit of requests": ({ account }) =>
    world.db
      .updateTable('carrier_accounts')
      .set({ requests_max: 10, requests_window_ms: 9_000 })
      .where('id', '=', account.carrierAccountId)
      .execute(),
  'a quota that senders share': ({ inside, account }) =>
    inside(async (trx) => {
      const { accountId, senderId } = account;
      const id = await insertQuota(trx, accountId, { name: 'Brand', rateUnits: 1, ratePeriod: 'second' });
      await setSenderQuotas(trx, { id: senderId, accountId }, [id]);
    }),
};

/** The carrier takes any number of requests at once. */
const takeAnyNumber = ({ account }: FrozenCampaign): Promise<unknown> =>
  world.db
    .updateTable('carrier_accounts')
    .set({ requests_at_once_max: 0 })
    .where('id', '=', account.carrierAccountId)
    .execute();

test.each(Object.entries(LIMITS))(
  'what is left of a lease is granted anew after everything that was granted since, by %s',
  async (_name, limit) => {
    const campaign = await world.freeze(4);
    await takeAnyNumber(campaign);
    await limit(campaign);
    const lease: Lease = await campaign.lease();
    expect(lease.recipients).toHaveLength(2);
    expect(lease.isUnlimited).toBe(false);
    // Each lease takes some two seconds of it, and so does what is granted anew.
    const first = await store.grantAgain(lease, { requests: 2, units: 2 });
    expect(first).toBeGreaterThan(1_500);
    const second = await store.grantAgain(lease, { requests: 1, units: 1 });
    expect(second).toBeGreaterThan(first + 1_500);
  },
);

test('where nothing is limited what is left may go out at once', async () => {
  const campaign = await world.freeze(4);
  expect((await campaign.lease()).isUnlimited, 'while the carrier takes so many at once').toBe(false);
  await takeAnyNumber(campaign);
  const lease = await campaign.lease();
  expect(lease.isUnlimited).toBe(true);
  expect(await store.grantAgain(lease, { requests: 2, units: 2 })).toBe(0);
});

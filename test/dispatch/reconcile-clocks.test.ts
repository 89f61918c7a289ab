import { MockActivityEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { createReconcileActivities, type ReconcileOutput } from '../../activities/reconcile-activities.ts';
import { createPostgresUnknownStore } from '../../db/reconcile/postgres-unknowns.ts';
import { ASKING_TIMES } from '../../domain/carrier-list.ts';
import { type FrozenCampaign, type LedgerWorld, openLedgerWorld } from './ledger-world.ts';
import { readEvidence } from './reconcile-world.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterEach(() => {
  vi.useRealTimers();
});
afterAll(() => world.close());

/** A campaign with an unknown text whose turn is now. */
async function oneToAsk(): Promise<FrozenCampaign> {
  const campaign = await world.freeze(1);
  await campaign.record(await campaign.lease(), 'unknown');
  await campaign.inside((trx) =>
    trx
      .updateTable('unknowns')
      .set({ next_ask_at: sql<Date>`clock_timestamp()` })
      .where('account_id', '=', campaign.account.accountId)
      .execute(),
  );
  return campaign;
}

/** Asks an empty list, on a worker whose clock is so far ahead and for a workflow that reads `at`. */
async function ask(campaign: FrozenCampaign, aheadMs: number, at: number): Promise<ReconcileOutput> {
  const { reconcile } = createReconcileActivities({
    db: world.db,
    store: createPostgresUnknownStore(world.db),
    list: () => Promise.resolve({ kind: 'listed', texts: [], isLast: true }),
    machine: { now: () => performance.now(), sleep: () => Promise.resolve() },
    times: ASKING_TIMES,
  });
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + aheadMs });
  const { carrierAccountId } = campaign.account;
  return new MockActivityEnvironment().run(reconcile, { carrierAccountId, at, time: 'real' as const });
}

test.each([
  ['twenty minutes', 20 * MINUTE_MS],
  ['two days', 2 * DAY_MS],
])('a worker whose clock is %s ahead calls no text absent or final before its time', async (_, aheadMs) => {
  const campaign = await oneToAsk();
  const told = await ask(campaign, aheadMs, Date.now());
  expect(told).toMatchObject({ accepted: 0, absent: 0, final: 0, undecided: 1 });
  expect(await readEvidence(campaign)).toMatchObject([{ state: 'open', verdict: 'too_early' }]);
});

test('the next turn is told by the clock of the workflow that waits for it, whatever that shows', async () => {
  const campaign = await oneToAsk();
  const at = Date.now() + DAY_MS;
  const { nextAt } = await ask(campaign, 0, at);
  expect(nextAt).toBeGreaterThan(at);
  expect(nextAt).toBeLessThanOrEqual(at + 2 * MINUTE_MS);
});

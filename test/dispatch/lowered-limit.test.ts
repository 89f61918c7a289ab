import { afterAll, beforeAll, expect, test } from 'vitest';
import { updateAccount } from '../../db/accounts.ts';
import { claimTest } from '../../db/test-sends/claim-test.ts';
import { seedTest } from '../workflows/test-send-world.ts';
import { type LedgerWorld, openLedgerWorld } from './ledger-world.ts';
import { lockWaiters } from '../support/lock-waiters.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

test('a lease that was being made while the spend limit was lowered goes by the new one', async () => {
  const { account, inside, lease, openLeases, record } = await world.freeze(4);
  await record(await lease(), 'accepted');
  let late: Promise<unknown> | undefined;
  await inside(async (trx) => {
    await updateAccount(trx, account.accountId, { spendLimitMicroUsd: 1 });
    late = openLeases();
    await lockWaiters(world.owner, 1);
  });
  expect(await late).toMatchObject({ kind: 'suspend', cause: 'spend_limit' });
});

test('a test that was being let pass while the spend limit was lowered goes by the new one', async () => {
  // Of this month nothing has been spent yet.
  const trial = await seedTest(world.db, { inQuietHours: true });
  let late: Promise<unknown> | undefined;
  await trial.inside(async (trx) => {
    await updateAccount(trx, trial.accountId, { spendLimitMicroUsd: 1 });
    late = trial.inside((own) => claimTest(own, { testId: trial.testId, at: Date.now() }));
    await Promise.race([late, lockWaiters(world.owner, 1)]);
  });
  expect(await late).toEqual({ kind: 'over' });
  expect(await trial.read()).toMatchObject({ state: 'refused', cause: 'spend_limit' });
  expect(await trial.spent()).toBe(0);
});

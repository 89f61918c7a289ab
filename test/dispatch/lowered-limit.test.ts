import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { updateAccount } from '../../db/accounts.ts';
import { type LedgerWorld, openLedgerWorld } from './ledger-world.ts';
import { lockWaiters } from '../support/lock-waiters.ts';

let world: LedgerWorld;
let owner: Client;
beforeAll(async () => {
  world = await openLedgerWorld();
  owner = new Client({ connectionString: world.databaseUrl });
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await world.close();
});

test('a lease that was being made while the spend limit was lowered goes by the new one', async () => {
  const { account, inside, lease, openLeases, record } = await world.freeze(4);
  await record(await lease(), 'accepted');
  let late: Promise<unknown> | undefined;
  await inside(async (trx) => {
    await updateAccount(trx, account.accountId, { spendLimitMicroUsd: 1 });
    late = openLeases();
    await lockWaiters(owner, 1);
  });
  expect(await late).toMatchObject({ kind: 'suspend', cause: 'spend_limit' });
});

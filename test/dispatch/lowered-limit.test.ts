import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { updateAccount } from '../../db/accounts.ts';
import { until } from '../../dev/until.ts';
import { type LedgerWorld, openLedgerWorld } from './ledger-world.ts';

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

/** Waits until a transaction of this database waits for a lock. */
const somebodyWaits = (): Promise<unknown> =>
  until(
    async () => {
      const { rows } = await owner.query<{ waiting: number }>(
        `select count(*)::int as waiting from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows[0]?.waiting ?? 0;
    },
    (waiting) => waiting > 0,
  );

test('a lease that was being made while the spend limit was lowered goes by the new one', async () => {
  const { account, inside, lease, openLeases, record } = await world.freeze(4);
  await record(await lease(), 'accepted');
  let late: Promise<unknown> | undefined;
  await inside(async (trx) => {
    await updateAccount(trx, account.accountId, { spendLimitMicroUsd: 1 });
    late = openLeases();
    await somebodyWaits();
  });
  expect(await late).toMatchObject({ kind: 'suspend', cause: 'spend_limit' });
});

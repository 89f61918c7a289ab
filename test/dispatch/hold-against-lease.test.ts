import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { holdCampaign } from '../../db/holds.ts';
import { until } from '../support/until.ts';
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

/** Waits until some transaction of this database waits for a lock. */
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

test('a pause at the very moment of the first lease is obeyed, and neither waits for the other for ever', async () => {
  const { account, campaignId, inside, openLease } = await world.freeze(2);
  let lease: Promise<{ readonly kind: string }> | undefined;
  const inFlight = await inside(async (trx) => {
    await trx.selectFrom('campaigns').where('id', '=', campaignId).select('id').forUpdate().execute();
    lease = openLease();
    await somebodyWaits();
    return holdCampaign(trx, {
      accountId: account.accountId,
      campaignId,
      kind: 'pause',
      cause: null,
      reason: 'Ordered.',
      actor: account.actor,
    });
  });
  expect(inFlight).toBe(0);
  expect(await lease).toEqual({ kind: 'held' });
});

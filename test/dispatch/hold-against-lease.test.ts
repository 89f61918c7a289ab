import { afterAll, beforeAll, expect, test } from 'vitest';
import { lockOpenGates, moveGate } from '../../db/gates.ts';
import { holdCampaign } from '../../db/holds.ts';
import { type LedgerWorld, openLedgerWorld, setMessageStatus } from './ledger-world.ts';
import { lockWaiters } from '../support/lock-waiters.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

const waiting = (transactions: number): Promise<unknown> => lockWaiters(world.owner, transactions);

test('a pause at the very moment of the first lease is obeyed, and neither waits for the other for ever', async () => {
  const { account, campaignId, inside, openLeases } = await world.freeze(2);
  let lease: Promise<{ readonly kind: string }> | undefined;
  const inFlight = await inside(async (trx) => {
    await trx.selectFrom('campaigns').where('id', '=', campaignId).select('id').forUpdate().execute();
    lease = openLeases();
    await waiting(1);
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

test('a lease that waits while its message is stopped and given another time is not made', async () => {
  const { campaignId, messageId, inside, lease, openLeases, record } = await world.freeze(4);
  // The first lease of all would wait for the campaign's row.
  await record(await lease(), 'accepted');
  let late: Promise<{ readonly kind: string }> | undefined;
  await inside(async (trx) => {
    await moveGate(trx, campaignId, 1);
    late = openLeases();
    await waiting(1);
    await setMessageStatus(trx, messageId, 'scheduled');
    await moveGate(trx, campaignId, -1);
  });
  expect(await late).toEqual({ kind: 'held' });
});

test('a hold is not kept out by leases that follow one another without a gap', async () => {
  const { account, inside } = await world.freeze(1);
  const scopes = [account.accountId, account.senderId];
  let hold: Promise<void> | undefined;
  let later: Promise<boolean> | undefined;
  await inside(async (trx) => {
    expect(await lockOpenGates(trx, scopes)).toBe(true);
    hold = inside((own) => moveGate(own, account.senderId, 1));
    await waiting(1);
    later = inside((own) => lockOpenGates(own, scopes));
    await waiting(2);
  });
  await hold;
  expect(await later).toBe(false);
});

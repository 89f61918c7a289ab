import { afterAll, beforeAll, expect, test } from 'vitest';
import { stepCampaign } from '../../db/campaign-step/step-campaign.ts';
import { liftHold } from '../../db/lift-hold.ts';
import { placeHold } from '../../db/place-hold.ts';
import { holdsToWake, wakeAfterHold } from '../../db/wake-after-hold.ts';
import { lockWaiters } from '../support/lock-waiters.ts';
import {
  type FrozenCampaign,
  type LedgerWorld,
  NOON,
  openLedgerWorld,
  setMessageStatus,
} from './ledger-world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

async function holdOn(
  { account, inside }: FrozenCampaign,
  scope: 'account' | 'sender',
  scopeId: string,
): Promise<string> {
  const { accountId, actor } = account;
  const reason = 'Checked first.';
  const placed = await inside((trx) =>
    placeHold(trx, { accountId, scope, scopeId, reason, actor, byOperator: false, at: NOON }),
  );
  if (placed.kind !== 'placed') throw new Error(placed.kind);
  return placed.hold.id;
}

/** Lifts a hold and resolves with the campaigns that are woken because of it, as its route does. */
async function liftAndWake({ account, inside }: FrozenCampaign, holdId: string): Promise<readonly string[]> {
  const by = { actor: account.actor, isOperator: false, at: NOON };
  await inside((trx) => liftHold(trx, holdId, by, () => undefined));
  const woken: string[] = [];
  for (const lifted of await holdsToWake(world.db, 10)) {
    await wakeAfterHold(world.db, lifted, (_accountId, campaignId) => {
      woken.push(campaignId);
      return Promise.resolve();
    });
  }
  return woken;
}

test.each(['account', 'sender'] as const)(
  'a message that becomes due at the very moment at which the last hold on its %s is lifted goes out',
  async (scope) => {
    const campaign = await world.freeze(2);
    const { account, campaignId, messageId, inside } = campaign;
    const { accountId, senderId } = account;
    await inside((trx) => setMessageStatus(trx, messageId, 'scheduled'));
    await inside((trx) =>
      trx.updateTable('campaigns').set({ status: 'scheduled' }).where('id', '=', campaignId).execute(),
    );
    const holdId = await holdOn(campaign, scope, scope === 'account' ? accountId : senderId);
    const { lifting } = await inside(async (trx) => {
      const step = { accountId, campaignId, at: NOON, running: [], poked: false, signals: [], asked: [] };
      const { start, wakeAt } = await stepCampaign(trx, step);
      // It has seen the hold, and sleeps until somebody wakes it.
      expect({ start, wakeAt }).toEqual({ start: [], wakeAt: null });
      const lift = liftAndWake(campaign, holdId);
      // Whoever lifts it has gone as far as he comes before this step commits.
      await Promise.race([lift, lockWaiters(world.owner, 1)]);
      return { lifting: lift };
    });
    expect(await lifting).toEqual([campaignId]);
  },
);

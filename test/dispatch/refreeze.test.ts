import { afterAll, beforeAll, expect, test } from 'vitest';
import { unfreezeAudience } from '../../db/audience.ts';
import { type FrozenCampaign, type LedgerWorld, openLedgerWorld } from './ledger-world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

async function isFrozenAfter(change: (campaign: FrozenCampaign) => Promise<unknown>): Promise<boolean> {
  const campaign = await world.freeze(2);
  await change(campaign);
  return campaign.inside(async (trx) => {
    await unfreezeAudience(trx, campaign.campaignId);
    const row = await trx
      .selectFrom('campaigns')
      .where('id', '=', campaign.campaignId)
      .select('audience_frozen_at as frozenAt')
      .executeTakeFirstOrThrow();
    return row.frozenAt !== null;
  });
}

const end = (status: 'expired' | 'sent' | 'cut') => (campaign: FrozenCampaign) =>
  campaign.inside((trx) =>
    trx.updateTable('messages').set({ status }).where('id', '=', campaign.messageId).execute(),
  );

test('an audience of which nobody was leased may be frozen again', async () => {
  expect(await isFrozenAfter(end('cut'))).toBe(false);
});

test('an audience of which somebody was leased is kept', async () => {
  expect(await isFrozenAfter((campaign) => campaign.lease())).toBe(true);
});

test.each(['expired', 'sent'] as const)(
  'an audience of which a message is %s is kept, so that nobody of it waits for ever',
  async (status) => {
    expect(await isFrozenAfter(end(status))).toBe(true);
  },
);

import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FrozenCampaign, type LedgerWorld, openLedgerWorld } from './ledger-world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

const cursorOf = (campaign: FrozenCampaign): Promise<number> =>
  campaign.inside(async (trx) => {
    const wave = await trx.selectFrom('waves').select('next_ordinal').executeTakeFirstOrThrow();
    return wave.next_ordinal;
  });

test.each([
  ['nobody', sql`recipient > 2`],
  ['not everybody', sql`recipient = 3`],
])('a range of which %s is found is no lease, and its wave stays where it is', async (_whom, isMissing) => {
  const campaign = await world.freeze(6);
  await campaign.record(await campaign.lease(), 'accepted');
  expect(await cursorOf(campaign)).toBe(2);
  await campaign.inside((trx) => sql`delete from recipients where ${isMissing}`.execute(trx));
  await expect(campaign.openLeases()).rejects.toThrow('were found');
  expect(await cursorOf(campaign)).toBe(2);
});

test('no statement of anybody moves a cursor back, or hands a range out once more', async () => {
  const campaign = await world.freeze(6);
  await campaign.lease();
  for (const nextOrdinal of [0, 1, 2]) {
    await expect(
      campaign.inside((trx) => trx.updateTable('waves').set({ next_ordinal: nextOrdinal }).execute()),
    ).rejects.toThrow('stands at 2');
  }
  expect(await cursorOf(campaign)).toBe(2);
});

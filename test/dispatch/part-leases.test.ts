import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { insertCampaign } from '../../db/campaigns.ts';
import { withAccount } from '../../db/database.ts';
import { moveGate } from '../../db/gates.ts';
import { placeHold } from '../../db/place-hold.ts';
import { type SeededAccount, seedAccount } from '../support/seed.ts';
import { type FrozenCampaign, type LedgerWorld, NOON, openLedgerWorld } from './ledger-world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

interface Part extends FrozenCampaign {
  readonly parent: SeededAccount;
  readonly centralId: string;
}

/** A campaign that is being sent, as the part of a parent's central campaign. */
async function freezePart(): Promise<Part> {
  const campaign = await world.freeze(8);
  const parent = await seedAccount(world.db);
  const { accountId, personId: createdBy } = parent;
  const centralId = await withAccount(world.db, accountId, (trx) =>
    insertCampaign(trx, { accountId, createdBy, kind: 'central', name: 'To all branches' }),
  );
  await campaign.inside((trx) =>
    trx
      .updateTable('campaigns')
      .set({ kind: 'central', central_id: centralId, parent_id: accountId, parent_name: 'Head office' })
      .where('id', '=', campaign.campaignId)
      .execute(),
  );
  return { ...campaign, parent, centralId };
}

/** Places a hold of the parent's own on one of these, before any workflow has heard of it. */
async function hold({ parent, centralId }: Part, scope: 'campaign' | 'account'): Promise<void> {
  const { accountId, actor } = parent;
  const scopeId = scope === 'campaign' ? centralId : accountId;
  const reason = 'It has to be checked.';
  await withAccount(world.db, accountId, (trx) =>
    placeHold(trx, { accountId, scope, scopeId, reason, actor, byOperator: false, at: NOON }),
  );
}

async function open({ parent, centralId }: Part): Promise<void> {
  await withAccount(world.db, parent.accountId, (trx) => moveGate(trx, centralId, -1));
}

describe('whoever a part may still text', () => {
  test.each(['campaign', 'account'] as const)(
    'is leased no more once its parent holds the %s',
    async (scope) => {
      const part = await freezePart();
      await part.record(await part.lease(), 'accepted');
      await hold(part, scope);
      expect(await part.openLeases()).toEqual({ kind: 'held' });
    },
  );

  test('is leased again once the parent lets its campaign go on', async () => {
    const part = await freezePart();
    await hold(part, 'campaign');
    expect(await part.openLeases()).toEqual({ kind: 'held' });
    await open(part);
    expect((await part.lease()).recipients).toHaveLength(2);
  });

  test("is told to a lease as the central campaign's gate, which it looks at before each text", async () => {
    const part = await freezePart();
    const { scopes } = await part.lease();
    expect(scopes).toEqual(expect.arrayContaining([part.centralId, part.parent.accountId]));
  });

  test('is the concern of his account alone once the part has been taken from its central campaign', async () => {
    const part = await freezePart();
    await hold(part, 'campaign');
    await part.inside((trx) =>
      trx
        .updateTable('campaigns')
        .set({ detached_at: new Date() })
        .where('id', '=', part.campaignId)
        .execute(),
    );
    expect((await part.lease()).recipients).toHaveLength(2);
  });
});

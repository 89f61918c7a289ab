import { afterAll, beforeAll, expect, test } from 'vitest';
import { inFlight } from '../../db/in-flight.ts';
import { planMessage } from '../../db/message-plan.ts';
import { placeHold } from '../../db/place-hold.ts';
import { INSTALLATION } from '../../domain/hold.ts';
import { type LedgerWorld, NOON, openLedgerWorld } from './ledger-world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

test('a hold right after a lane was given up names whom it may still text, and the installation does too', async () => {
  const campaign = await world.freeze(3);
  const { accountId, actor } = campaign.account;
  const { campaignId, messageId } = campaign;
  const lease = await campaign.lease();
  await campaign.inside((trx) => planMessage(trx, { accountId, campaignId, messageId, at: NOON + 1 }));
  expect((await campaign.report()).unknown).toBe(lease.recipients.length);
  const placed = await campaign.inside((trx) =>
    placeHold(trx, {
      accountId,
      scope: 'account',
      scopeId: accountId,
      reason: 'Ordered.',
      actor,
      byOperator: false,
      at: NOON,
    }),
  );
  expect(placed).toMatchObject({ kind: 'placed', inFlight: lease.recipients.length });
  const everywhere = { scope: 'installation', scopeId: INSTALLATION } as const;
  expect(await campaign.inside((trx) => inFlight(trx, everywhere))).toBe(lease.recipients.length);
});

import { afterAll, beforeAll, expect, it } from 'vitest';
import { expireSome, planMessage } from '../../db/message-plan.ts';
import { listMessages, updateExpiry } from '../../db/messages.ts';
import { type FrozenCampaign, type LedgerWorld, NOON, openLedgerWorld } from './ledger-world.ts';

const HOUR_MS = 3_600_000;

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

const expireAt = (campaign: FrozenCampaign, at: number): Promise<unknown> =>
  campaign.inside((trx) =>
    trx
      .updateTable('messages')
      .set({ expires_at: new Date(at) })
      .where('id', '=', campaign.messageId)
      .execute(),
  );
const orderOf = ({ account, campaignId, messageId }: FrozenCampaign, at: number) => ({
  accountId: account.accountId,
  campaignId,
  messageId,
  at,
});

it('gives up on nobody of a message whose expiry is put off after it was ordered to give up', async () => {
  const campaign = await world.freeze(3);
  await expireAt(campaign, NOON + HOUR_MS);
  const order = orderOf(campaign, NOON + HOUR_MS);
  expect(await campaign.inside((trx) => planMessage(trx, order))).toEqual({ kind: 'expire' });
  await campaign.inside(async (trx) => {
    const [message] = await listMessages(trx, campaign.campaignId);
    if (message === undefined) throw new Error('The message is gone.');
    await updateExpiry(trx, message, message.expiresAfterMs + HOUR_MS);
  });
  expect(await campaign.inside((trx) => expireSome(trx, order))).toBe(0);
  expect(await campaign.report()).toMatchObject({ expired: 0, waiting: 3 });
  const later = orderOf(campaign, NOON + 2 * HOUR_MS);
  expect(await campaign.inside((trx) => expireSome(trx, later))).toBe(3);
  expect(await campaign.report()).toMatchObject({ expired: 3, waiting: 0 });
});

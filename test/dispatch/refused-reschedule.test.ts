import { afterAll, beforeAll, expect, test } from 'vitest';
import { stepCampaign } from '../../db/campaign-step/step-campaign.ts';
import { listMessages } from '../../db/messages.ts';
import { type LedgerWorld, NOON, openLedgerWorld, setMessageStatus } from './ledger-world.ts';

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

test('a reschedule that names a message which does not wait for its time is refused and moves none of the others', async () => {
  const { account, campaignId, messageId, inside } = await world.freeze(2);
  const { accountId } = account;
  await inside((trx) => setMessageStatus(trx, messageId, 'scheduled'));
  const zone = 'America/New_York';
  const messages = [messageId, 'msg_elsewhere'].map((id) => ({
    messageId: id,
    local: '2026-03-05T12:00',
    zone,
  }));
  const signals = [{ name: 'reschedule' as const, key: 'key', args: { messages } }];
  await inside((trx) =>
    stepCampaign(trx, { accountId, campaignId, at: NOON, running: [], poked: false, signals, asked: [] }),
  );
  const { state, result } = await inside((trx) =>
    trx
      .selectFrom('actions')
      .where('name', '=', 'reschedule')
      .select(['state', 'result'])
      .executeTakeFirstOrThrow(),
  );
  expect(state).toBe('refused');
  expect(result?.['reason']).toBe(
    'Only messages that wait for their time can be given another one, which these do not: msg_elsewhere.',
  );
  const [message] = await inside((trx) => listMessages(trx, campaignId));
  expect(message).toMatchObject({ scheduleLocal: null, dueAt: new Date(NOON) });
});

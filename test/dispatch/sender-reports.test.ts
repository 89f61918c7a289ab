import { afterAll, beforeAll, expect, test } from 'vitest';
import { stepCampaign } from '../../db/campaign-step/step-campaign.ts';
import { findCampaign } from '../../db/campaigns.ts';
import { holdCampaign, showStatus } from '../../db/holds.ts';
import { countSenderReports } from '../../db/sender-reports.ts';
import type { HoldKind } from '../../domain/campaign-status.ts';
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

const hold = ({ account, campaignId, inside }: FrozenCampaign, kind: HoldKind): Promise<number> =>
  inside((trx) =>
    holdCampaign(trx, {
      accountId: account.accountId,
      campaignId,
      kind,
      cause: null,
      reason: 'Ordered.',
      actor: account.actor,
    }),
  );
const statusOf = ({ campaignId, inside }: FrozenCampaign): Promise<string | undefined> =>
  inside(async (trx) => (await findCampaign(trx, campaignId))?.status);

test('a sender that is reported as spam too often has suspended what is being sent, also while it is paused, and nothing else', async () => {
  const sending = await world.freeze(20);
  const [paused, waiting, stopped] = [
    await world.freezeAgain(sending),
    await world.freezeAgain(sending),
    await world.freezeAgain(sending),
  ];
  await sending.inside(async (trx) => {
    await trx.updateTable('messages').set({ began_at: new Date() }).execute();
    for (const { campaignId } of [sending, paused, waiting, stopped]) await showStatus(trx, campaignId);
    await setMessageStatus(trx, waiting.messageId, 'scheduled');
  });
  await hold(paused, 'pause');
  await hold(waiting, 'pause');
  await hold(stopped, 'stop');
  const lease = await sending.lease();
  const { accountId } = sending.account;
  await countSenderReports(world.db, [
    { accountId, post: { month: lease.month, leaseId: lease.id }, finals: 20, spam: 20 },
  ]);
  expect(await Promise.all([sending, paused, waiting, stopped].map(statusOf))).toEqual([
    'suspended',
    'suspended',
    'paused',
    'stopped',
  ]);
});

test('a message that is to begin while its sender is reported as spam too often suspends its campaign in its place', async () => {
  const sending = await world.freeze(20);
  const later = await world.freezeAgain(sending);
  const step = () =>
    later.inside((trx) =>
      stepCampaign(trx, {
        accountId: later.account.accountId,
        campaignId: later.campaignId,
        at: NOON,
        running: [],
        poked: false,
        signals: [],
        asked: [],
      }),
    );
  const lease = await sending.lease();
  const report = (finals: number, spam: number) =>
    countSenderReports(world.db, [
      {
        accountId: sending.account.accountId,
        post: { month: lease.month, leaseId: lease.id },
        finals,
        spam,
      },
    ]);
  await report(20, 1);
  expect(await step()).toMatchObject({ start: [{ messageId: later.messageId }] });
  await later.inside(async (trx) => {
    await setMessageStatus(trx, later.messageId, 'scheduled');
    await showStatus(trx, later.campaignId);
  });
  await report(10, 10);
  expect(await statusOf(later)).not.toBe('suspended');
  expect(await step()).toMatchObject({ status: 'suspended', start: [] });
  expect(await statusOf(later)).toBe('suspended');
});

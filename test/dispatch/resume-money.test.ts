import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLaneActivities } from '../../activities/lane-activities.ts';
import { freezeAudience } from '../../db/audience.ts';
import { withAccount } from '../../db/database.ts';
import { createPostgresDispatchStore } from '../../db/dispatch/postgres-store.ts';
import { prepareCampaign } from '../../db/prepare-campaign.ts';
import { type PersistingCause, persistingCause } from '../../db/suspend-causes.ts';
import type { CarrierStanding } from '../../domain/carrier-standing.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import { costMicroUsd } from '../../domain/rates.ts';
import { seedAccount, seedCampaign } from '../support/seed.ts';
import { createLaneWorld } from './lane-world.ts';
import {
  type FrozenCampaign,
  type LedgerWorld,
  NOON,
  openLedgerWorld,
  setMessageStatus,
} from './ledger-world.ts';

/** What the shortest text costs; the campaigns here send some of several segments. */
const SHORTEST_MICRO_USD = costMicroUsd({
  country: 'US',
  senderType: 'short_code',
  kind: 'sms',
  segments: 1,
  at: NOON,
});
const LONG_TEXT = 'We have baked all night. '.repeat(15);

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

/** A campaign of long texts, whose lane runs with what an account has to spend. */
async function longTexts() {
  const account = await seedAccount(world.db, { contacts: 2 });
  const { accountId } = account;
  const { campaignId, messageIds } = await seedCampaign(world.db, account, {
    at: NOON,
    start: 'now',
    messages: [{ text: LONG_TEXT }],
  });
  const inside: FrozenCampaign['inside'] = (work) => withAccount(world.db, accountId, work);
  await inside((trx) => prepareCampaign(trx, { accountId, campaignId, at: NOON }));
  await inside((trx) => freezeAudience(trx, campaignId, NOON));
  await inside((trx) => setMessageStatus(trx, messageIds[0] ?? '', 'sending'));
  const lane = createLaneWorld(1);
  const store = createPostgresDispatchStore({ db: world.db, crash: noCrash, mediaUrl: (token) => token });
  const { sendLane } = createLaneActivities({
    db: world.db,
    lane: { ...lane.deps, store },
    allowVirtualTime: true,
    lanesAtOnceMax: 10,
    draining: new AbortController().signal,
  });
  const ids = { accountId, campaignId, messageId: messageIds[0] ?? '', lane: 0 };
  return {
    script: lane.script,
    send: () => new MockActivityEnvironment().run(sendLane, { ...ids, at: NOON, time: 'virtual' as const }),
    setLimit: (limit: number) =>
      inside((trx) => trx.updateTable('accounts').set({ spend_limit_micro_usd: limit }).execute()),
    setBudget: (budget: number) =>
      inside((trx) =>
        trx
          .updateTable('campaign_spends')
          .set({ budget_micro_usd: budget })
          .where('campaign_id', '=', campaignId)
          .execute(),
      ),
    persisting: (standing: CarrierStanding | null = null): Promise<PersistingCause | null> =>
      inside((trx) => persistingCause(trx, accountId, campaignId, NOON, () => standing)),
    /** What the text costs for want of whose money it was suspended. */
    refusedMicroUsd: async (): Promise<number> => {
      const hold = await inside((trx) =>
        trx
          .selectFrom('holds')
          .where('scope_id', '=', campaignId)
          .select('text_micro_usd as textMicroUsd')
          .executeTakeFirstOrThrow(),
      );
      return hold.textMicroUsd ?? 0;
    },
  };
}

const money = [
  ['spend_limit', 'setLimit'],
  ['campaign_budget', 'setBudget'],
] as const;

test.each(money)(
  'a campaign that the %s suspends is not resumed before its next text can be paid for',
  async (cause, allow) => {
    const campaign = await longTexts();
    await campaign[allow](SHORTEST_MICRO_USD);
    expect(await campaign.send()).toMatchObject({ ended: 'suspend', accepted: 0 });
    expect(await campaign.persisting(), 'one of the shortest could be paid for').toMatchObject({ cause });
    const textMicroUsd = await campaign.refusedMicroUsd();
    expect(textMicroUsd).toBeGreaterThan(2 * SHORTEST_MICRO_USD);
    await campaign[allow](textMicroUsd - 1);
    expect(await campaign.persisting()).toMatchObject({ cause });
    await campaign[allow](textMicroUsd);
    expect(await campaign.persisting()).toBeNull();
  },
);

test('a campaign that lacks credit is not resumed before the carrier has enough for its next text', async () => {
  const campaign = await longTexts();
  campaign.script.answer = () => ({ kind: 'not_accepted', cause: 'credit', retryAfterMs: null });
  expect(await campaign.send()).toMatchObject({ ended: 'suspend', accepted: 0 });
  const withCredit = (creditMicroUsd: number): CarrierStanding => ({
    kind: 'told',
    creditMicroUsd,
    isEnabled: true,
  });
  expect(await campaign.persisting(withCredit(SHORTEST_MICRO_USD))).toMatchObject({ cause: 'credit' });
  const textMicroUsd = await campaign.refusedMicroUsd();
  expect(await campaign.persisting(withCredit(textMicroUsd - 1))).toMatchObject({ cause: 'credit' });
  expect(await campaign.persisting(withCredit(textMicroUsd))).toBeNull();
});

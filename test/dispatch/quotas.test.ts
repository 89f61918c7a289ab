import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import {
  deleteQuota,
  insertQuota,
  type QuotaSettings,
  setSenderQuotas,
  updateQuota,
} from '../../db/quotas.ts';
import type { LeaseAnswer } from '../../domain/dispatch/dispatch-store.ts';
import { RECLAIM_DELAY_MS } from '../../domain/dispatch/pace.ts';
import { type FrozenCampaign, type LedgerWorld, NOON, openLedgerWorld } from './ledger-world.ts';
import { leasedPeople } from './only-lease.ts';

/** Midnight in California, after noon in New York. */
const RESET = Date.parse('2026-03-04T00:00:00-08:00');
const MORNING = Date.parse('2026-03-04T09:00:00-05:00');

let world: LedgerWorld;
beforeAll(async () => {
  world = await openLedgerWorld();
});
afterAll(() => world.close());

const bind = (campaign: FrozenCampaign, quotas: Readonly<Record<string, QuotaSettings>>) =>
  campaign.inside(async (trx) => {
    const { accountId, senderId } = campaign.account;
    const ids: string[] = [];
    for (const [name, settings] of Object.entries(quotas)) {
      ids.push(await insertQuota(trx, accountId, { ...settings, name }));
    }
    await setSenderQuotas(trx, { id: senderId, accountId }, ids);
    return ids;
  });
const widthOf = (answer: LeaseAnswer): string | number =>
  answer.kind === 'leased' ? leasedPeople(answer).length : answer.kind;
const hundredths = async (campaign: FrozenCampaign): Promise<number[]> =>
  campaign.inside(async (trx) => {
    const { rows } = await sql<{ used: number }>`
      select day_hundredths as used from quota_uses order by quota_id`.execute(trx);
    return rows.map((row) => row.used);
  });

/** Opens a lease that has to hold so many, all of whom the carrier accepts. */
async function sendTo(campaign: FrozenCampaign, width: number): Promise<void> {
  const lease = await campaign.lease();
  expect(lease.recipients).toHaveLength(width);
  await campaign.record(lease, 'accepted');
}

test('a daily cap is filled and never passed, and the rest waits until its own midnight', async () => {
  const campaign = await world.freeze(10);
  await bind(campaign, { Brand: { dayUnits: 3 } });
  await sendTo(campaign, 2);
  await sendTo(campaign, 1);
  expect(await campaign.openLeases()).toEqual({ kind: 'wait', delayMs: RESET - NOON });
  expect(await hundredths(campaign)).toEqual([300]);
  expect(widthOf(await campaign.openLeases(MORNING))).toBe(2);
  expect(await hundredths(campaign)).toEqual([200]);
});

test('lanes that ask at the same moment do not pass a cap together', async () => {
  const campaign = await world.freeze(40);
  await bind(campaign, { Brand: { dayUnits: 7 }, Campaign: { dayUnits: 9 } });
  const answers = await Promise.all(Array.from({ length: 8 }, () => campaign.openLeases()));
  const leased = answers.map(widthOf).filter((width) => typeof width === 'number');
  expect(leased.reduce((sum, width) => sum + width, 0)).toBe(7);
  expect(await hundredths(campaign)).toEqual([700, 700]);
});

test('a share counts a part of each text, and a raised cap counts at once', async () => {
  const campaign = await world.freeze(20);
  const [id = ''] = await bind(campaign, { Brand: { dayUnits: 1, sharePercent: 50 } });
  expect(widthOf(await campaign.openLeases())).toBe(2);
  expect(widthOf(await campaign.openLeases())).toBe('wait');
  await campaign.inside((trx) => updateQuota(trx, id, { dayUnits: 2 }));
  expect(widthOf(await campaign.openLeases())).toBe(2);
  expect(widthOf(await campaign.openLeases())).toBe('wait');
});

test('a rate is shared by all senders that name it, over all campaigns', async () => {
  const campaign = await world.freeze(10);
  await bind(campaign, { Carrier: { rateUnits: 6, ratePeriod: 'minute' } });
  const first = await campaign.lease();
  expect(first.segmentIntervalMs).toBe(10_000);
  expect(first.startDelayMs).toBeLessThanOrEqual(0);
  const next = await campaign.openLeases();
  if (next.kind !== 'wait') throw new Error(`Expected to wait, got ${next.kind}.`);
  // It may lease a second ahead.
  expect(next.delayMs).toBeGreaterThan(0);
  expect(next.delayMs).toBeLessThanOrEqual(9_000);
});

test('what waits for a next day that comes too late waits for its expiry', async () => {
  const campaign = await world.freeze(10);
  await bind(campaign, { Brand: { dayUnits: 2 } });
  await sendTo(campaign, 2);
  await campaign.inside((trx) =>
    trx
      .updateTable('messages')
      .set({ expires_at: new Date(NOON + 3_600_000) })
      .where('id', '=', campaign.messageId)
      .execute(),
  );
  expect(await campaign.openLeases()).toEqual({ kind: 'wait', delayMs: 3_600_000 });
});

describe('what was counted for somebody whom the carrier certainly did not take', () => {
  it.each(['not_accepted', 'rejected'] as const)(
    'is given back after %s, and is there for others',
    async (result) => {
      const campaign = await world.freeze(10);
      await bind(campaign, { Brand: { dayUnits: 2, sharePercent: 50 }, Campaign: { dayUnits: 4 } });
      const lease = await campaign.lease();
      await campaign.lease();
      expect(await hundredths(campaign)).toEqual([200, 400]);
      await campaign.record(lease, result, MORNING);
      expect(await hundredths(campaign)).toEqual([100, 200]);
      // A second record of the same, after an answer that was lost, gives nothing back.
      await campaign.record(lease, result, MORNING);
      expect(await hundredths(campaign)).toEqual([100, 200]);
      expect(widthOf(await campaign.openLeases())).toBe(2);
    },
  );

  it.each(['accepted', 'unknown'] as const)('stays counted after %s', async (result) => {
    const campaign = await world.freeze(10);
    await bind(campaign, { Brand: { dayUnits: 2 } });
    await campaign.record(await campaign.lease(), result);
    expect(await hundredths(campaign)).toEqual([200]);
    expect(widthOf(await campaign.openLeases())).toBe('wait');
  });

  it('is awaited for a moment while it is under way, not until the next day', async () => {
    const campaign = await world.freeze(10);
    await bind(campaign, { Brand: { dayUnits: 2 } });
    const lease = await campaign.lease();
    expect(await campaign.openLeases()).toEqual({ kind: 'wait', delayMs: RECLAIM_DELAY_MS });
    await campaign.record(lease, 'accepted');
    expect(await campaign.openLeases()).toEqual({ kind: 'wait', delayMs: RESET - NOON });
  });

  it('is not given back to a day that has begun since', async () => {
    const campaign = await world.freeze(10);
    await bind(campaign, { Brand: { dayUnits: 4 } });
    const yesterday = await campaign.lease();
    await campaign.lease(MORNING);
    await campaign.record(yesterday, 'not_accepted', MORNING);
    expect(await hundredths(campaign)).toEqual([200]);
  });

  it('is given back as it was counted, whatever its quota has become, and never below nothing', async () => {
    const campaign = await world.freeze(10);
    const [id = ''] = await bind(campaign, { Brand: { dayUnits: 4, sharePercent: 50 } });
    const lease = await campaign.lease();
    await campaign.inside((trx) => updateQuota(trx, id, { sharePercent: 100 }));
    await campaign.inside((trx) => sql`update quota_uses set day_hundredths = 60`.execute(trx));
    await campaign.record(lease, 'not_accepted');
    expect(await hundredths(campaign)).toEqual([0]);
  });

  it('is left alone where its quota is gone', async () => {
    const campaign = await world.freeze(10);
    const [id = ''] = await bind(campaign, { Brand: { dayUnits: 4 } });
    const lease = await campaign.lease();
    await campaign.inside((trx) => deleteQuota(trx, id));
    await campaign.record(lease, 'not_accepted');
    expect(await hundredths(campaign)).toEqual([]);
  });
});

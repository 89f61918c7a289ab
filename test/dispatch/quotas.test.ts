import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { insertQuota, type QuotaSettings, setSenderQuotas, updateQuota } from '../../db/quotas.ts';
import type { LeaseAnswer } from '../../domain/dispatch/dispatch-store.ts';
import { type FrozenCampaign, type LedgerWorld, NOON, openLedgerWorld } from './ledger-world.ts';

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
  answer.kind === 'leased' ? answer.lease.recipients.length : answer.kind;
const hundredths = async (campaign: FrozenCampaign): Promise<number[]> =>
  campaign.inside(async (trx) => {
    const { rows } = await sql<{ used: number }>`
      select day_hundredths as used from quota_uses order by quota_id`.execute(trx);
    return rows.map((row) => row.used);
  });

test('a daily cap is filled and never passed, and the rest waits until its own midnight', async () => {
  const campaign = await world.freeze(10);
  await bind(campaign, { Brand: { dayUnits: 3 } });
  expect(widthOf(await campaign.openLease())).toBe(2);
  expect(widthOf(await campaign.openLease())).toBe(1);
  expect(await campaign.openLease()).toEqual({ kind: 'wait', delayMs: RESET - NOON });
  expect(await hundredths(campaign)).toEqual([300]);
  expect(widthOf(await campaign.openLease(MORNING))).toBe(2);
  expect(await hundredths(campaign)).toEqual([200]);
});

test('lanes that ask at the same moment do not pass a cap together', async () => {
  const campaign = await world.freeze(40);
  await bind(campaign, { Brand: { dayUnits: 7 }, Campaign: { dayUnits: 9 } });
  const answers = await Promise.all(Array.from({ length: 8 }, () => campaign.openLease()));
  const leased = answers.map(widthOf).filter((width) => typeof width === 'number');
  expect(leased.reduce((sum, width) => sum + width, 0)).toBe(7);
  expect(await hundredths(campaign)).toEqual([700, 700]);
});

test('a share counts a part of each text, and a raised cap counts at once', async () => {
  const campaign = await world.freeze(20);
  const [id = ''] = await bind(campaign, { Brand: { dayUnits: 1, sharePercent: 50 } });
  expect(widthOf(await campaign.openLease())).toBe(2);
  expect(widthOf(await campaign.openLease())).toBe('wait');
  await campaign.inside((trx) => updateQuota(trx, id, { dayUnits: 2 }));
  expect(widthOf(await campaign.openLease())).toBe(2);
  expect(widthOf(await campaign.openLease())).toBe('wait');
});

test('a rate is shared by all senders that name it, over all campaigns', async () => {
  const campaign = await world.freeze(10);
  await bind(campaign, { Carrier: { rateUnits: 60, ratePeriod: 'minute' } });
  const first = await campaign.lease();
  expect(first).toMatchObject({ segmentIntervalMs: 1_000, startDelayMs: 0 });
  const next = await campaign.openLease();
  if (next.kind !== 'wait') throw new Error(`Expected to wait, got ${next.kind}.`);
  expect(next.delayMs).toBeGreaterThan(1_000);
  expect(next.delayMs).toBeLessThanOrEqual(2_000);
});

test('what waits for a next day that comes too late waits for its expiry', async () => {
  const campaign = await world.freeze(10);
  await bind(campaign, { Brand: { dayUnits: 2 } });
  await campaign.lease();
  await campaign.inside((trx) =>
    trx
      .updateTable('messages')
      .set({ expires_at: new Date(NOON + 3_600_000) })
      .where('id', '=', campaign.messageId)
      .execute(),
  );
  expect(await campaign.openLease()).toEqual({ kind: 'wait', delayMs: 3_600_000 });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { freezeAudience } from '../../db/audience.ts';
import { type Db, openDatabase, openPool, withAccount } from '../../db/database.ts';
import { insertQuota, setSenderQuotas } from '../../db/quotas.ts';
import { alertOfForecast } from '../../db/review/forecast-alerts.ts';
import { seedAccount, seedCampaign } from '../support/seed.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const at = (time: string): number => Date.parse(`2026-03-03T${time}-05:00`);

let database: TestDatabase;
let db: Db;
beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase(openPool({ connectionString: database.url, connectionsMax: 4, role: 'carillon_app' }));
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

/** Thirty people at one segment a second, frozen, with the message due now. */
async function frozenAt(now: number, expiresAfterMs: number) {
  const account = await seedAccount(db, { contacts: 30, segmentsPerSecond: 1 });
  const { accountId, senderId } = account;
  const { campaignId, messageIds } = await seedCampaign(db, account, {
    at: now,
    start: 'now',
    messages: [{ text: 'Hi {{firstName}}', expiresAfterMs }],
  });
  const [messageId = ''] = messageIds;
  const inside = <Result>(work: Parameters<typeof withAccount<Result>>[2]) =>
    withAccount(db, accountId, work);
  await inside(async (trx) => {
    await trx
      .updateTable('messages')
      .set({ due_at: new Date(now) })
      .where('id', '=', messageId)
      .execute();
    await freezeAudience(trx, campaignId, now);
  });
  return {
    messageId,
    look: () => inside((trx) => alertOfForecast(trx, { accountId, campaignId, at: now })),
    setPace: (segmentsPerSecond: number) =>
      inside((trx) =>
        trx
          .updateTable('senders')
          .set({ segments_per_second: segmentsPerSecond })
          .where('id', '=', senderId)
          .execute(),
      ),
    /** A daily cap of its sender, so much of which is used up already. */
    setCap: (dayUnits: number, used: number) =>
      inside(async (trx) => {
        const id = await insertQuota(trx, accountId, { name: 'Brand', dayUnits });
        await setSenderQuotas(trx, { id: senderId, accountId }, [id]);
        await trx
          .updateTable('quota_uses')
          .set({ day: '2026-03-03', day_hundredths: used * 100 })
          .where('quota_id', '=', id)
          .execute();
      }),
    alerts: () =>
      inside((trx) =>
        trx
          .selectFrom('alerts')
          .where('campaign_id', '=', campaignId)
          .where('resolved_at', 'is', null)
          .select(['kind', 'cause', 'severity', 'subject_id as subject', 'reason'])
          .execute(),
      ),
  };
}

test('a message that will not reach everybody before it expires is alerted of until its sender is fast enough', async () => {
  const campaign = await frozenAt(at('12:00:00'), 10_000);
  await campaign.look();
  expect(await campaign.alerts()).toMatchObject([
    {
      kind: 'forecast',
      cause: 'forecast_expires',
      severity: 'warning',
      subject: campaign.messageId,
      reason: '20 recipients will not be texted before the message expires at 2026-03-03T12:00:10-05:00.',
    },
  ]);
  await campaign.setPace(100);
  await campaign.look();
  expect(await campaign.alerts()).toEqual([]);
});

test('a message that rolls over to another day is alerted of, one that fits is not', async () => {
  const late = await frozenAt(at('19:59:50'), 86_400_000);
  await late.look();
  expect(await late.alerts()).toMatchObject([{ cause: 'forecast_rolls_over', severity: 'info' }]);
  const early = await frozenAt(at('12:00:00'), 86_400_000);
  await early.look();
  expect(await early.alerts()).toEqual([]);
});

test("a message that its sender's daily caps spread over days is alerted of, with what is used of today", async () => {
  const campaign = await frozenAt(at('12:00:00'), 86_400_000);
  await campaign.setCap(20, 8);
  await campaign.look();
  const reason =
    '18 recipients will be texted after a daily cap is used up at 2026-03-03T12:00:12-05:00, from 2026-03-04T08:00:00-05:00 on.';
  expect(await campaign.alerts()).toMatchObject([{ cause: 'forecast_rolls_over', severity: 'info', reason }]);
  const roomy = await frozenAt(at('12:00:00'), 86_400_000);
  await roomy.setCap(40, 8);
  await roomy.look();
  expect(await roomy.alerts()).toEqual([]);
});

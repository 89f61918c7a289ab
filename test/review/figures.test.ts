import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Db, openDatabase, openPool, withAccount } from '../../db/database.ts';
import { listedAudience } from '../../db/review/audience-source.ts';
import { readFigures } from '../../db/review/read-figures.ts';
import { costMicroUsd } from '../../domain/rates.ts';
import type { ReviewedMessage } from '../../domain/review/message-figures.ts';
import { parseTemplate } from '../../domain/template.ts';
import { type SeededAccount, seedAccount, seedCampaign } from '../support/seed.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const AT = Date.parse('2026-03-03T12:00:00-05:00');
const NAMES = { name: 'Harbour Bakery', senderName: 'Harbour' };
const segment = costMicroUsd({ country: 'US', senderType: 'short_code', kind: 'sms', segments: 1, at: AT });
const PEOPLE = 1_200;

let database: TestDatabase;
let db: Db;
let account: SeededAccount;
let campaignId: string;
beforeAll(async () => {
  database = await createTestDatabase();
  db = openDatabase(openPool({ connectionString: database.url, connectionsMax: 4, role: 'carillon_app' }));
  account = await seedAccount(db, { contacts: PEOPLE });
  ({ campaignId } = await seedCampaign(db, account, { at: AT, start: 'now', messages: [{ text: 'x' }] }));
  // Every third has a long name, every tenth a coupon of his own, and a quarter of them live in Canada.
  await withAccount(db, account.accountId, async (trx) => {
    await sql`update contacts set first_name = ${'M'.repeat(40)} where id % 3 = 0`.execute(trx);
    await sql`update contacts set custom = jsonb_build_object('coupon', 'c' || id) where id % 10 = 0`.execute(
      trx,
    );
    await sql`update contacts set country = 'CA' where id % 4 = 0`.execute(trx);
  });
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

function message(text: string): ReviewedMessage {
  const parsed = parseTemplate(text);
  if (parsed.kind === 'malformed') throw new Error(parsed.message);
  const affixes = { prefix: '', suffix: '' };
  return { template: parsed.template, affixes, kind: 'sms', senderType: 'short_code', at: AT };
}

const figures = (
  texts: readonly string[],
  countries: readonly string[],
  rendersMax?: { readonly exact: number; readonly sampled: number },
) =>
  withAccount(db, account.accountId, (trx) =>
    readFigures(
      trx,
      {
        source: listedAudience(campaignId),
        accountId: account.accountId,
        senderId: account.senderId,
        countries,
      },
      texts.map(message),
      NAMES,
      rendersMax,
    ),
  );

const LONG = `{{firstName}} ${'a'.repeat(130)}`;

test('figures are exact when there are few combinations of values: one text for all, names, and what has no text', async () => {
  const { counts, messages, sampled } = await figures(['Hello', LONG, '{{custom.coupon}}'], ['US', 'CA']);
  expect(sampled).toBeNull();
  expect(counts).toMatchObject({ recipients: PEOPLE, leftOut: [] });
  expect(messages).toMatchObject([
    { recipients: PEOPLE, segments: PEOPLE, refused: [] },
    { recipients: PEOPLE, segments: PEOPLE + PEOPLE / 3, refused: [] },
    { recipients: PEOPLE / 10, segments: PEOPLE / 10, refused: [{ reason: 'text_empty' }] },
  ]);
  expect(messages[2]?.refused[0]?.count).toBe(PEOPLE - PEOPLE / 10);
});

test('each country costs what it costs, and who lives where the account may not text is left out', async () => {
  const canadian = costMicroUsd({
    country: 'CA',
    senderType: 'short_code',
    kind: 'sms',
    segments: 1,
    at: AT,
  });
  const both = await figures(['Hello'], ['US', 'CA']);
  expect(both.messages[0]?.costMicroUsd).toBe((PEOPLE * 3 * segment) / 4 + (PEOPLE * canadian) / 4);
  const { counts, messages } = await figures(['Hello', LONG], ['US']);
  expect(counts.leftOut).toMatchObject([{ reason: 'country_not_allowed', count: PEOPLE / 4 }]);
  expect(messages.map((one) => one.recipients)).toEqual([(PEOPLE * 3) / 4, (PEOPLE * 3) / 4]);
});

test('beyond the limit a sample stands for all, near the truth, while one text for all stays exact', async () => {
  const limits = { exact: 2 * 500, sampled: 2 * 300 };
  const { counts, messages, sampled } = await figures(
    ['Hello', LONG, `{{number}} ${LONG}`],
    ['US', 'CA'],
    limits,
  );
  expect(sampled).toBe(300);
  expect(counts.recipients).toBe(PEOPLE);
  expect(messages[0]).toMatchObject({ recipients: PEOPLE, segments: PEOPLE });
  const truth = PEOPLE + PEOPLE / 3;
  // A third is long: with 300 of 1,200 drawn by hash, six standard deviations are some 200 segments.
  expect(Math.abs((messages[1]?.segments ?? 0) - truth)).toBeLessThan(200);
  expect(messages[1]?.recipients).toBe(PEOPLE);
  // The sample does not change from one look to the next, or a token would go stale by itself.
  const again = await figures(['Hello', LONG, `{{number}} ${LONG}`], ['US', 'CA'], limits);
  expect(again.messages).toEqual(messages);
});

import { expect, test } from 'vitest';
import { makeParts } from '../../db/central/make-parts.ts';
import { readSlice } from '../../db/central/read-slice.ts';
import { stepCentral } from '../../db/central/step-central.ts';
import { withAccount } from '../../db/database.ts';
import { prepareCampaign } from '../../db/prepare-campaign.ts';
import { seedCentral, seedParent } from '../support/seed-central.ts';
import { useTestDatabase } from '../support/use-test-database.ts';

const NOON = Date.parse('2027-01-12T17:00:00Z');
const db = useTestDatabase();

test('the parts of a slice are made once, each as a campaign of its account with its lists and messages', async () => {
  const seeded = await seedParent(db(), [{ contacts: 2 }, { contacts: 1 }]);
  const { accountId } = seeded.parent;
  const { campaignId } = await seedCentral(db(), seeded, {
    at: NOON,
    start: 'now',
    messages: [{ text: 'Hello' }],
  });
  const step = () =>
    withAccount(db(), accountId, (trx) =>
      stepCentral(trx, { accountId, campaignId, at: NOON, running: [], handing: 0, signals: [], asked: [] }),
    );
  expect((await step()).kind).toBe('prepare');
  await withAccount(db(), accountId, (trx) => prepareCampaign(trx, { accountId, campaignId, at: NOON }));
  expect(await step()).toMatchObject({ kind: 'run', start: [0], states: { waiting: 2 } });
  const ref = { accountId, campaignId, slice: 0 };
  const made = await withAccount(db(), accountId, (trx) => makeParts(trx, ref));
  expect(made).toHaveLength(2);
  expect(await withAccount(db(), accountId, (trx) => makeParts(trx, ref))).toEqual(made);
  const standing = await withAccount(db(), accountId, (trx) => readSlice(trx, ref));
  expect(standing).toMatchObject({ open: 2, lacksParts: false, lacksRuns: false });
  for (const part of made) {
    const messages = await withAccount(db(), part.subAccountId, (trx) =>
      trx
        .selectFrom('messages')
        .where('campaign_id', '=', part.campaignId)
        .select(['text', 'status', 'due_at'])
        .execute(),
    );
    expect(messages).toEqual([{ text: 'Hello', status: 'scheduled', due_at: new Date(NOON) }]);
  }
});

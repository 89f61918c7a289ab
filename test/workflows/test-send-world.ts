import { insertCampaign } from '../../db/campaigns.ts';
import { type Db, type Trx, withAccount } from '../../db/database.ts';
import { insertMessage } from '../../db/messages.ts';
import { numberHash } from '../../db/number-hash.ts';
import { insertTestNumber } from '../../db/test-numbers.ts';
import { applyTestReport } from '../../db/test-sends/record-test.ts';
import { insertTestSend, listTestSends, type NewTestSend } from '../../db/test-sends/test-sends.ts';
import { until } from '../../dev/until.ts';
import { seedAccount } from '../support/seed.ts';
import type { WorkflowWorld } from './workflow-world.ts';

/** The test number of every account here, and its keyed hash. */
export const NUMBER = '+12125552801';
export const HASH = numberHash(Buffer.alloc(32, 1), NUMBER);

/** An account with a draft of one message, and a test of it that nobody has sent yet. */
export async function seedTest(db: Db, more: Partial<NewTestSend> = {}) {
  const account = await seedAccount(db);
  const { accountId, senderId } = account;
  const inside = <Result>(work: (trx: Trx) => Promise<Result>): Promise<Result> =>
    withAccount(db, accountId, work);
  const ids = await inside(async (trx) => {
    const campaignId = await insertCampaign(trx, {
      accountId,
      createdBy: account.personId,
      name: 'On trial',
      senderId,
      listIds: [account.listId],
    });
    const messageId = await insertMessage(trx, accountId, campaignId, { text: 'Hello' });
    await insertTestNumber(trx, accountId, { number: NUMBER, numberHash: HASH, country: 'US', name: null });
    const testId = await insertTestSend(trx, {
      accountId,
      campaignId,
      messageId,
      senderId,
      contactId: null,
      number: NUMBER,
      numberHash: HASH,
      country: 'US',
      kind: 'sms',
      text: '[Test] Hello',
      mediaIds: [],
      segments: 1,
      costMicroUsd: 1_000,
      inQuietHours: false,
      requestedBy: account.personId,
      ...more,
    });
    return { campaignId, messageId, testId };
  });
  const read = async () => {
    const [test] = await inside((trx) => listTestSends(trx, ids.messageId, { below: 1_000_000, limit: 5 }));
    if (test === undefined) throw new Error('The test is not there.');
    return test;
  };
  return {
    ...account,
    ...ids,
    inside,
    read,
    spent: () =>
      inside(async (trx) => {
        const rows = await trx.selectFrom('spend_months').select('spent_micro_usd as spent').execute();
        return rows.reduce((sum, row) => sum + row.spent, 0);
      }),
    report: (status: 'sent' | 'delivered' | 'failed', uuid: string, to = NUMBER) =>
      read().then(({ key }) =>
        applyTestReport(db, {
          accountId,
          key,
          to,
          uuid,
          status,
          errorCode: status === 'failed' ? '300' : null,
          billedMicroUsd: 900,
        }),
      ),
  };
}

/** The same in a world whose workflow sends it. */
export async function orderTest(world: WorkflowWorld, more: Partial<NewTestSend> = {}) {
  const test = await seedTest(world.db, more);
  return {
    ...test,
    send: async () => {
      await world.workflows.startTestSend(test.accountId, test.testId);
      return until(test.read, ({ state }) => state !== 'requested' && state !== 'posting');
    },
  };
}

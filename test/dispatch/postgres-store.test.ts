import { sql } from 'kysely';
import { afterAll } from 'vitest';
import { freezeAudience } from '../../db/audience.ts';
import { noteFailures, noteTaken } from '../../db/circuits.ts';
import { openDatabase, openPool, type Trx, withAccount } from '../../db/database.ts';
import { createPostgresDispatchStore } from '../../db/dispatch/postgres-store.ts';
import { moveGate } from '../../db/gates.ts';
import { inFlight } from '../../db/in-flight.ts';
import { prepareCampaign } from '../../db/prepare-campaign.ts';
import { insertQuota, setSenderQuotas } from '../../db/quotas.ts';
import { applyStatusReports } from '../../db/status-reports.ts';
import { suppress } from '../../db/suppressions.ts';
import { planMessage } from '../../db/message-plan.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import { costMicroUsd } from '../../domain/rates.ts';
import { seedAccount, seedCampaign } from '../support/seed.ts';
import { createTestDatabase } from '../support/test-database.ts';
import { describeDispatchStore } from './store-suite/dispatch-store-suite.ts';
import type { StoreHarness } from './store-suite/store-harness.ts';
import { setMessageStatus } from './ledger-world.ts';

const database = await createTestDatabase();
const db = openDatabase(
  openPool({ connectionString: database.url, connectionsMax: 10, role: 'carillon_app' }),
);
const store = createPostgresDispatchStore({ db, crash: noCrash, mediaUrl: (token) => token });
const noon = Date.parse('2026-03-03T12:00:00-05:00');
const textCost = costMicroUsd({
  country: 'US',
  senderType: 'short_code',
  kind: 'sms',
  segments: 1,
  at: noon,
});

afterAll(async () => {
  await db.destroy();
  await database.drop();
});

describeDispatchStore('PostgreSQL', async (recipients, isConstant): Promise<StoreHarness> => {
  const account = await seedAccount(db, { contacts: recipients });
  const { campaignId, messageIds } = await seedCampaign(db, account, {
    at: noon,
    start: 'now',
    messages: [{ text: isConstant ? 'Hi everybody' : 'Hi {{firstName}}' }],
  });
  const [messageId = ''] = messageIds;
  const { accountId } = account;
  const inside = <Result>(work: (trx: Trx) => Promise<Result>): Promise<Result> =>
    withAccount(db, accountId, work);
  await inside((trx) => prepareCampaign(trx, { accountId, campaignId, at: noon }));
  await inside((trx) => freezeAudience(trx, campaignId, noon));
  await inside((trx) => setMessageStatus(trx, messageId, 'sending'));
  const scopes = {
    installation: 'installation',
    account: accountId,
    campaign: campaignId,
    message: messageId,
    sender: account.senderId,
  };
  const carrierScopes = [account.carrierAccountId, account.senderId];
  const numberOf = (trx: Trx, recipient: number) =>
    trx
      .selectFrom('recipients as r')
      .innerJoin('campaigns as c', 'c.key', 'r.campaign_key')
      .where('c.id', '=', campaignId)
      .where('r.recipient', '=', recipient)
      .select(['r.number', 'r.number_hash as numberHash'])
      .executeTakeFirstOrThrow();

  return {
    store,
    noon,
    lane: (lane) => ({ accountId, campaignId, messageId, lane }),
    closeGate: (scope) => inside((trx) => moveGate(trx, scopes[scope], 1)),
    openGate: (scope) => inside((trx) => moveGate(trx, scopes[scope], -1)),
    setStatus: (status) => inside((trx) => setMessageStatus(trx, messageId, status)),
    suppress: (recipient) =>
      inside(async (trx) => {
        const person = await numberOf(trx, recipient);
        await suppress(trx, {
          accountId,
          ...person,
          kind: 'opt_out',
          senderId: null,
          source: 'inbound',
          actor: account.actor,
        });
      }),
    lengthen: (recipient) =>
      inside(async (trx) => {
        const { number } = await numberOf(trx, recipient);
        await trx
          .updateTable('contacts')
          .set({ first_name: 'Maximilian '.repeat(36) })
          .where('number', '=', number)
          .execute();
      }),
    plan: (at) => inside((trx) => planMessage(trx, { accountId, campaignId, messageId, at })),
    setExpiry: (at) =>
      inside(async (trx) => {
        await trx
          .updateTable('messages')
          .set({ expires_at: new Date(at) })
          .where('id', '=', messageId)
          .execute();
      }),
    setSpendLimit: (texts) =>
      inside(async (trx) => {
        await trx
          .updateTable('accounts')
          .set({ spend_limit_micro_usd: texts * textCost })
          .where('id', '=', accountId)
          .execute();
      }),
    setBudget: (texts) =>
      inside(async (trx) => {
        await trx
          .updateTable('campaign_spends')
          .set({ budget_micro_usd: texts === null ? null : texts * textCost })
          .where('campaign_id', '=', campaignId)
          .execute();
      }),
    setDayCap: (dayUnits) =>
      inside(async (trx) => {
        const id = await insertQuota(trx, accountId, { name: 'Brand', dayUnits });
        await setSenderQuotas(trx, { id: account.senderId, accountId }, [id]);
      }),
    noteFailures: async (failures) => {
      await noteFailures(db, carrierScopes, failures);
    },
    noteTaken: () => noteTaken(db, carrierScopes),
    disableSender: () =>
      inside(async (trx) => {
        await trx
          .updateTable('senders')
          .set({ disabled_at: new Date() })
          .where('id', '=', account.senderId)
          .execute();
      }),
    resultOf: (recipient, attempt) =>
      inside(async (trx) => {
        const row = await trx
          .selectFrom('attempts as a')
          .innerJoin('messages as m', 'm.key', 'a.message_key')
          .leftJoin('outcomes as o', (join) =>
            join
              .onRef('o.month', '=', 'a.month')
              .onRef('o.message_key', '=', 'a.message_key')
              .onRef('o.recipient', '=', 'a.recipient')
              .onRef('o.attempt', '=', 'a.attempt')
              .on('o.stage', '=', 'resolved'),
          )
          .where('m.id', '=', messageId)
          .where('a.recipient', '=', recipient)
          .where('a.attempt', '=', attempt)
          .select(['a.result', 'o.status'])
          .executeTakeFirst();
        return row?.status ?? row?.result ?? null;
      }),
    report: async (lease, recipient, status, uuid = `uuid-${recipient}`) => {
      const person = await inside((trx) => numberOf(trx, recipient));
      const [verdict = ''] = await applyStatusReports({ db, crash: noCrash }, [
        {
          accountId,
          post: { month: lease.month, leaseId: lease.id, request: 0 },
          to: person.number ?? '',
          toHash: person.numberHash,
          uuid,
          status,
          errorCode: null,
          units: 1,
          billedMicroUsd: null,
        },
      ]);
      return verdict;
    },
    skipOf: (recipient) =>
      inside(async (trx) => {
        const row = await trx
          .selectFrom('outcomes as o')
          .innerJoin('messages as m', 'm.key', 'o.message_key')
          .where('m.id', '=', messageId)
          .where('o.recipient', '=', recipient)
          .where('o.attempt', '=', 0)
          .select('o.reason')
          .executeTakeFirst();
        return row?.reason ?? null;
      }),
    inFlight: (scope) => inside((trx) => inFlight(trx, { scope, scopeId: scopes[scope] })),
    letPass: (ms) =>
      inside(async (trx) => {
        const passed = sql`${ms} * interval '1 millisecond'`;
        await sql`update unknowns set posted_until = posted_until - ${passed}`.execute(trx);
      }),
    textsSpent: () =>
      inside(async (trx) => {
        const row = await trx
          .selectFrom('spend_months')
          .where('account_id', '=', accountId)
          .select('spent_micro_usd as spent')
          .executeTakeFirstOrThrow();
        return row.spent / textCost;
      }),
  };
});

import { Client, type Pool } from 'pg';
import { freezeAudience } from '../../db/audience.ts';
import { findCampaign } from '../../db/campaigns.ts';
import { type Db, openDatabase, openPool, type Trx, withAccount } from '../../db/database.ts';
import { createPostgresDispatchStore } from '../../db/dispatch/postgres-store.ts';
import { listMessages } from '../../db/messages.ts';
import { prepareCampaign } from '../../db/prepare-campaign.ts';
import { readReports } from '../../db/reports.ts';
import type { StatusReport } from '../../db/status-reports.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import type { MessageStatus } from '../../domain/campaign-status.ts';
import type { AttemptResult, Lease, LeasedRecipient } from '../../domain/dispatch/dispatch-store.ts';
import type { MessageReport } from '../../domain/report.ts';
import { type SeededAccount, seedAccount, seedCampaign } from '../support/seed.ts';
import { createTestDatabase } from '../support/test-database.ts';
import { onlyLease } from './only-lease.ts';

/** Noon in New York, the zone of every account here. */
export const NOON = Date.parse('2026-03-03T12:00:00-05:00');

/** A campaign of one message on a real ledger, frozen and being sent, with its first lane entered. */
export interface FrozenCampaign {
  readonly account: SeededAccount;
  readonly campaignId: string;
  readonly messageId: string;
  readonly inside: <Result>(work: (trx: Trx) => Promise<Result>) => Promise<Result>;
  /** Asks for a lease of at most two. */
  readonly openLeases: (
    at?: number,
  ) => ReturnType<ReturnType<typeof createPostgresDispatchStore>['openLeases']>;
  /** The same where there has to be one. */
  readonly lease: (at?: number) => Promise<Lease>;
  readonly record: (lease: Lease, result: AttemptResult['result'], retryAt?: number) => Promise<void>;
  /** What is told of its message. */
  readonly report: () => Promise<MessageReport>;
}

/** A database with as many campaigns as a test wants. */
export interface LedgerWorld {
  readonly db: Db;
  readonly databaseUrl: string;
  /** Who sees and may do everything, on a connection of his own. */
  readonly owner: Client;
  /** Everybody gets a text of his own unless one is given. */
  readonly freeze: (recipients: number, text?: string) => Promise<FrozenCampaign>;
  /** Another campaign to the same people. */
  readonly freezeAgain: (campaign: FrozenCampaign) => Promise<FrozenCampaign>;
  readonly close: () => Promise<void>;
}

/** Makes a database of its own; `wrap` may put something between the queries and their pool. */
export async function openLedgerWorld(wrap: (pool: Pool) => Db = openDatabase): Promise<LedgerWorld> {
  const database = await createTestDatabase();
  const db = wrap(openPool({ connectionString: database.url, connectionsMax: 10, role: 'carillon_app' }));
  const owner = new Client({ connectionString: database.url });
  await owner.connect();
  return {
    db,
    databaseUrl: database.url,
    owner,
    freeze: async (recipients, text) =>
      freezeCampaign(db, await seedAccount(db, { contacts: recipients }), text),
    freezeAgain: ({ account }) => freezeCampaign(db, account),
    close: async () => {
      await Promise.all([db.destroy(), owner.end()]);
      await database.drop();
    },
  };
}

async function freezeCampaign(
  db: Db,
  account: SeededAccount,
  text = 'Hi {{firstName}}',
): Promise<FrozenCampaign> {
  const { accountId } = account;
  const { campaignId, messageIds } = await seedCampaign(db, account, {
    at: NOON,
    start: 'now',
    messages: [{ text }],
  });
  const messageId = messageIds[0] ?? '';
  const inside = <Result>(work: (trx: Trx) => Promise<Result>): Promise<Result> =>
    withAccount(db, accountId, work);
  await inside((trx) => prepareCampaign(trx, { accountId, campaignId, at: NOON }));
  await inside((trx) => freezeAudience(trx, campaignId, NOON));
  await inside((trx) => setMessageStatus(trx, messageId, 'sending'));
  const store = createPostgresDispatchStore({ db, crash: noCrash, mediaUrl: (token) => token });
  const lane = { accountId, campaignId, messageId, lane: 0 };
  const { fence } = await store.enterLane(lane, NOON);
  const openLeases: FrozenCampaign['openLeases'] = (at = NOON) => store.openLeases(lane, fence, at, 2);
  return {
    account,
    campaignId,
    messageId,
    inside,
    openLeases,
    lease: async (at) => onlyLease(await openLeases(at)),
    record: (lease, result, retryAt = NOON) => store.record(lease, resultsOf(lease, result), retryAt),
    report: () =>
      inside(async (trx) => {
        const campaign = await findCampaign(trx, campaignId);
        if (campaign === null) throw new Error('The campaign is gone.');
        const [report] = (await readReports(trx, campaign, await listMessages(trx, campaignId))).values();
        if (report === undefined) throw new Error('There is no report.');
        return report;
      }),
  };
}

/** Gives a message a status, whatever it had. */
export async function setMessageStatus(trx: Trx, messageId: string, status: MessageStatus): Promise<void> {
  await trx.updateTable('messages').set({ status }).where('id', '=', messageId).execute();
}

/** The uuid under which the carrier is said to have accepted a recipient. */
export const uuidOf = (recipient: number): string => `uuid-${recipient}-0000`;

/** One result for everybody in a lease. */
export function resultsOf(lease: Lease, result: AttemptResult['result']): AttemptResult[] {
  return lease.recipients.map((person, request) => ({
    recipient: person.recipient,
    attempt: person.attempt,
    request,
    result,
    cause: null,
    carrierUuid: result === 'accepted' ? uuidOf(person.recipient) : null,
    segments: person.segments,
    costMicroUsd: person.costMicroUsd,
  }));
}

/** What the carrier reports of somebody in a lease, who is its first unless another is given. */
export function statusReportOf(
  campaign: FrozenCampaign,
  lease: Lease,
  told: Partial<StatusReport> & Pick<StatusReport, 'status'>,
  person: LeasedRecipient | undefined = lease.recipients[0],
): StatusReport {
  if (person === undefined) throw new Error('Nobody was leased.');
  return {
    accountId: campaign.account.accountId,
    post: { month: lease.month, leaseId: lease.id, request: 0 },
    to: person.number,
    toHash: Buffer.from(person.numberHash, 'hex'),
    uuid: uuidOf(person.recipient),
    errorCode: null,
    units: 1,
    billedMicroUsd: null,
    ...told,
  };
}

import { sql } from 'kysely';
import { describeErrorCode } from '../domain/error-codes.ts';
import { isRetried } from '../domain/retry.ts';
import type { PostId } from '../domain/callback-path.ts';
import type { CrashHook } from '../domain/dispatch/crash-points.ts';
import type { SuspendCause } from '../domain/dispatch/dispatch-store.ts';
import { type Db, type Trx, withAccount } from './database.ts';
import { applyPlainReports } from './plain-reports.ts';
import { suspendCampaign } from './suspend-campaign.ts';

/** A status report of the carrier, verified: which post it is about and what it says. */
export interface StatusReport {
  readonly accountId: string;
  readonly post: PostId;
  /** E.164. */
  readonly to: string;
  /** Its keyed hash: by it a report still finds somebody who has been erased. */
  readonly toHash: Buffer;
  readonly uuid: string;
  readonly status: 'queued' | 'sent' | 'delivered' | 'undelivered' | 'failed' | 'rejected';
  readonly errorCode: string | null;
  readonly units: number | null;
  readonly billedMicroUsd: number | null;
}

/**
 * What became of a report: `applied` and `repeated` are fine, `gone` names a lease that is no longer there,
 * `mismatch` a recipient or uuid that does not belong to it.
 */
export type ReportVerdict = 'applied' | 'repeated' | 'gone' | 'mismatch';

/** What applying reports needs. */
export interface StatusReportDeps {
  readonly db: Db;
  readonly crash: CrashHook;
}

/**
 * Applies a batch of reports of any accounts in one transaction. When this resolves they are durable. A report that
 * says why the carrier refuses a whole account suspends the campaign it belongs to, in the same transaction: a
 * process that died in between would leave the campaign going, since the carrier's repetition says nothing new.
 */
export async function applyStatusReports(
  deps: StatusReportDeps,
  reports: readonly StatusReport[],
): Promise<ReportVerdict[]> {
  const [first] = reports;
  if (first === undefined) return [];
  const rows = reports.map((report, index) => ({
    index,
    account: report.accountId,
    month: report.post.month,
    lease: report.post.leaseId,
    number: report.to,
    hash: report.toHash.toString('hex'),
    uuid: report.uuid,
    status: report.status === 'rejected' ? 'failed' : report.status,
    code: report.errorCode,
    suppress: report.errorCode === null ? null : describeErrorCode(report.errorCode).suppresses,
    retries: isRetried(report.errorCode),
    units: report.units,
    billed: report.billedMicroUsd,
  }));
  const verdicts: ReportVerdict[] = reports.map(() => 'gone');
  // The account is only a first one: those of a batch are acted for in turn.
  await withAccount(deps.db, first.accountId, async (trx) => {
    // Before the ledger's rows, in the order in which everybody locks them.
    const campaigns = await lockSuspendable(trx, reports);
    const isTaken = new Set<number>();
    for (const { index, verdict } of await applyPlainReports(trx, rows)) {
      verdicts[index] = verdict;
      isTaken.add(index);
    }
    const others = rows.filter(({ index }) => !isTaken.has(index));
    if (others.length > 0) {
      const result = await sql<{ index: number; verdict: ReportVerdict }>`
        select index, verdict from apply_status_reports(${JSON.stringify(others)}::jsonb)`.execute(trx);
      for (const { index, verdict } of result.rows) verdicts[index] = verdict;
    }
    // Gates come before money, as in leases.
    for (const { index, accountId, campaignId, cause } of campaigns) {
      if (verdicts[index] !== 'applied') continue;
      await asAccount(trx, accountId);
      await suspendCampaign(trx, { accountId, campaignId }, cause);
    }
    const failed = rows.filter((row) => verdicts[row.index] === 'applied' && costsNothing(row));
    if (failed.length > 0) await sql`select give_back_spend(${JSON.stringify(failed)}::jsonb)`.execute(trx);
    deps.crash('report.before_commit');
  });
  deps.crash('report.committed');
  return verdicts;
}

/** A text that was never handed over, and that the carrier does not bill all the same. */
function costsNothing(row: { readonly status: string; readonly billed: number | null }): boolean {
  return row.status === 'failed' && (row.billed ?? 0) === 0;
}

interface Suspendable {
  readonly index: number;
  readonly accountId: string;
  readonly campaignId: string;
  readonly cause: SuspendCause;
}

/** The campaigns that reports of this batch suspend if they are news, locked in one order for everybody. */
async function lockSuspendable(trx: Trx, reports: readonly StatusReport[]): Promise<Suspendable[]> {
  const found: Suspendable[] = [];
  for (const [index, report] of reports.entries()) {
    const cause = report.errorCode === null ? null : describeErrorCode(report.errorCode).suspends;
    if (cause === null) continue;
    const { accountId } = report;
    await asAccount(trx, accountId);
    const campaign = await trx
      .selectFrom('leases as l')
      .innerJoin('campaigns as c', 'c.key', 'l.campaign_key')
      .where('l.month', '=', report.post.month)
      .where('l.id', '=', report.post.leaseId)
      .where('c.status', 'in', ['scheduled', 'started', 'sending', 'paused', 'suspended'])
      .select('c.id')
      .executeTakeFirst();
    if (campaign !== undefined) found.push({ index, accountId, campaignId: campaign.id, cause });
  }
  // By account first: each account's alert of its carrier is locked after its campaigns.
  const orderOf = (one: Suspendable): string => `${one.accountId} ${one.campaignId}`;
  const inOrder = found.toSorted((one, other) => (orderOf(one) < orderOf(other) ? -1 : 1));
  for (const { accountId, campaignId } of inOrder) {
    await asAccount(trx, accountId);
    await trx.selectFrom('campaigns').where('id', '=', campaignId).select('id').forNoKeyUpdate().execute();
  }
  return inOrder;
}

async function asAccount(trx: Trx, accountId: string): Promise<void> {
  await sql`select set_config('app.account', ${accountId}, true)`.execute(trx);
}

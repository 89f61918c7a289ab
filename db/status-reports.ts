import { sql } from 'kysely';
import { describeErrorCode } from '../domain/error-codes.ts';
import type { PostId } from '../domain/callback-path.ts';
import type { Db } from './database.ts';
import { withAccount } from './database.ts';
import { holdCampaign } from './holds.ts';
import { SUSPEND_REASONS } from './suspend-causes.ts';

/** A status report of the carrier, verified: which post it is about and what it says. */
export interface StatusReport {
  readonly accountId: string;
  readonly post: PostId;
  /** E.164. */
  readonly to: string;
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

/**
 * Applies a batch of reports of any accounts in one transaction. When this resolves they are durable. A
 * report that says why the carrier refuses a whole account suspends the campaign it belongs to.
 */
export async function applyStatusReports(db: Db, reports: readonly StatusReport[]): Promise<ReportVerdict[]> {
  if (reports.length === 0) return [];
  const rows = reports.map((report, index) => ({
    index,
    account: report.accountId,
    month: report.post.month,
    lease: report.post.leaseId,
    number: report.to,
    uuid: report.uuid,
    status: report.status === 'rejected' ? 'failed' : report.status,
    code: report.errorCode,
    units: report.units,
    billed: report.billedMicroUsd,
  }));
  const result = await sql<{ index: number; verdict: ReportVerdict }>`
    select index, verdict from apply_status_reports(${JSON.stringify(rows)}::jsonb)`.execute(db);
  const verdicts: ReportVerdict[] = reports.map(() => 'gone');
  for (const row of result.rows) verdicts[row.index] = row.verdict;
  await suspendWhereTold(db, reports, verdicts);
  return verdicts;
}

async function suspendWhereTold(
  db: Db,
  reports: readonly StatusReport[],
  verdicts: readonly ReportVerdict[],
): Promise<void> {
  const told = new Map<string, { report: StatusReport; cause: 'credit' | 'carrier_disabled' }>();
  for (const [index, report] of reports.entries()) {
    if (verdicts[index] !== 'applied' || report.errorCode === null) continue;
    const cause = describeErrorCode(report.errorCode).suspends;
    if (cause !== null) told.set(`${report.accountId}/${report.post.leaseId}/${cause}`, { report, cause });
  }
  for (const { report, cause } of told.values()) {
    await withAccount(db, report.accountId, async (trx) => {
      const campaign = await trx
        .selectFrom('leases as l')
        .innerJoin('campaigns as c', 'c.key', 'l.campaign_key')
        .where('l.month', '=', report.post.month)
        .where('l.id', '=', report.post.leaseId)
        .where('c.status', 'in', ['scheduled', 'started', 'sending', 'paused', 'suspended'])
        .select('c.id')
        .executeTakeFirst();
      if (campaign === undefined) return;
      await holdCampaign(trx, {
        accountId: report.accountId,
        campaignId: campaign.id,
        kind: 'suspend',
        cause,
        reason: SUSPEND_REASONS[cause],
        actor: { id: 'system', via: 'system' },
      });
    });
  }
}

import { sql } from 'kysely';
import { applyStatusReports, type StatusReport } from '../../db/status-reports.ts';
import { noCrash } from '../../domain/dispatch/crash-points.ts';
import type { CampaignUnderTest, WorkflowWorld } from './workflow-world.ts';

interface AcceptedAttempt {
  readonly month: string;
  readonly leaseId: number;
  readonly request: number;
  readonly number: string;
  readonly numberHash: Buffer;
  readonly recipient: number;
  readonly attempt: number;
}

/** Reports on the newest attempt of some recipients, as the carrier's callbacks would. */
export async function tell(
  world: WorkflowWorld,
  campaign: CampaignUnderTest,
  recipients: readonly number[],
  status: StatusReport['status'],
  errorCode: string | null = null,
): Promise<void> {
  const rows = await campaign.inside((trx) =>
    sql<AcceptedAttempt>`
      select distinct on (a.recipient) a.month, a.lease_id as "leaseId", a.request, a.recipient, a.attempt, r.number,
        r.number_hash as "numberHash"
      from attempts a join leases l on l.month = a.month and l.id = a.lease_id
      join recipients r on r.month = a.month and r.campaign_key = l.campaign_key and r.recipient = a.recipient
      where a.recipient = any(${[...recipients]}::int[]) order by a.recipient, a.attempt desc`.execute(trx),
  );
  await applyStatusReports(
    { db: world.db, crash: noCrash },
    rows.rows.map((row) => ({
      accountId: campaign.account.accountId,
      post: { month: row.month, leaseId: row.leaseId, request: row.request },
      to: row.number,
      toHash: row.numberHash,
      uuid: 'uuid',
      status,
      errorCode,
      units: 1,
      billedMicroUsd: null,
    })),
  );
}

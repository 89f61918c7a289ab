import { withOwner } from '../dev/with-owner.ts';
import type { MessageReport } from '../domain/report.ts';
import type { ReportedCampaign } from './report-data.ts';
import { numberIn, runProgram } from './run-program.ts';

/** A report's figures, as far as they can be counted from rows. */
export type CountedReport = Omit<MessageReport, 'unknownAs' | 'skipped' | 'expired' | 'deferred'>;
type ReasonCount = CountedReport['failed'][number];

interface Grouped {
  readonly ms: number;
  readonly attempts: readonly { result: string; cause: string | null; count: number; segments: number }[];
  readonly outcomes: readonly { stage: string; status: string; reason: string | null; count: number }[];
}

/** GROUP BY over the rows, from a process of its own. */
export async function groupRows(
  databaseUrl: string,
  { month, messageKey }: ReportedCampaign,
): Promise<Grouped> {
  const args = [databaseUrl, month, String(messageKey)];
  const found = await runProgram('yardsticks/report-group-by.ts', args);
  // The program printed them in this shape.
  return { ...(found as unknown as Grouped), ms: numberIn(found, 'ms') };
}

/** The same, read as a report, with what is on its way and what it costs. Nobody of it was tried twice. */
export async function countRows(databaseUrl: string, campaign: ReportedCampaign): Promise<CountedReport> {
  const { attempts, outcomes } = await groupRows(databaseUrl, campaign);
  const rest = await countRest(databaseUrl, campaign);
  const sum = (counts: readonly { readonly count: number }[]): number =>
    counts.reduce((total, { count }) => total + count, 0);
  const ofResult = (result: string) => attempts.filter((one) => one.result === result);
  const ofStatus = (stage: string, status: string) =>
    outcomes.filter((one) => one.stage === stage && one.status === status);
  const byReason = (counts: readonly { reason: string | null; count: number }[]): ReasonCount[] =>
    counts
      .map(({ reason, count }) => ({ reason: reason ?? 'none', count }))
      .toSorted((one, other) => other.count - one.count || one.reason.localeCompare(other.reason));
  const resolved = sum(ofStatus('resolved', 'accepted'));
  const accepted = sum(ofResult('accepted')) + resolved;
  const unknown = sum(ofResult('unknown')) - resolved;
  const rejected = byReason(ofResult('rejected').map(({ cause, count }) => ({ reason: cause, count })));
  const finals = ['delivered', 'undelivered', 'failed'].flatMap((status) => ofStatus('final', status));
  const taken = [...ofResult('accepted'), ...ofResult('unknown')];
  return {
    recipients: rest.recipients,
    accepted,
    delivered: sum(ofStatus('final', 'delivered')),
    undelivered: byReason(ofStatus('final', 'undelivered')),
    failed: byReason(ofStatus('final', 'failed')),
    awaitingReport: accepted - sum(finals),
    rejected,
    unknown,
    inFlight: rest.inFlight,
    waiting: rest.recipients - accepted - unknown - sum(rejected) - rest.inFlight,
    segments: taken.reduce((total, { segments }) => total + segments, 0),
    costMicroUsd: rest.costMicroUsd,
  };
}

interface Rest {
  readonly recipients: number;
  readonly inFlight: number;
  readonly costMicroUsd: number;
}

async function countRest(databaseUrl: string, { month, messageKey }: ReportedCampaign): Promise<Rest> {
  return withOwner(databaseUrl, async (owner) => {
    const { rows } = await owner.query<Rest>(
      `select
         (select count(*)::int from recipients r where r.month = $1 and r.campaign_key = c.key) as recipients,
         (select coalesce(sum(l.width), 0)::int from leases l where l.message_key = $2 and l.closed_at is null) - (
           select count(*)::int from leases l join attempts a on a.month = l.month and a.message_key = l.message_key
             and a.lease_id = l.id where l.message_key = $2 and l.closed_at is null
         ) as "inFlight",
         (select sum(coalesce(o.billed_micro_usd, a.cost_micro_usd))::bigint from attempts a
           left join outcomes o on o.month = a.month and o.message_key = a.message_key and o.recipient = a.recipient
             and o.attempt = a.attempt and o.stage = 'final'
           where a.month = $1 and a.message_key = $2 and a.result in ('accepted', 'unknown')) as "costMicroUsd"
       from messages m join campaigns c on c.id = m.campaign_id where m.key = $2`,
      [month, messageKey],
    );
    const [rest] = rows;
    if (rest === undefined) throw new Error('There is no campaign.');
    return rest;
  });
}

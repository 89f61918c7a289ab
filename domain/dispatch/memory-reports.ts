import { describeErrorCode } from '../error-codes.ts';
import {
  addToCounter,
  entryOf,
  type MemoryAttempt,
  type MemoryLedger,
  messageOf,
  spend,
} from './memory-ledger.ts';

/** A status report whose signature and MAC were found right: which lease it is about and what it says. */
export interface MemoryReport {
  readonly leaseId: number;
  /** E.164. */
  readonly to: string;
  readonly uuid: string;
  readonly status: 'queued' | 'sent' | 'delivered' | 'undelivered' | 'failed';
  readonly errorCode: string | null;
}

/** As PostgreSQL's store says it; see `db/status-reports.ts`. */
export type MemoryVerdict = 'applied' | 'repeated' | 'gone' | 'mismatch';

/** Applies one report: it proves acceptance, binds one uuid and moves forward only. */
export function applyMemoryReport(ledger: MemoryLedger, report: MemoryReport): MemoryVerdict {
  const lease = ledger.leases.get(report.leaseId);
  if (lease === undefined) return 'gone';
  const message = messageOf(ledger, lease.messageId);
  const person = lease.people.find((one) => one.number === report.to);
  if (person === undefined || entryOf(message, person.recipient).skip !== null) return 'mismatch';
  const entry = entryOf(message, person.recipient);
  let known = entry.attempts.find((one) => one.attempt === person.attempt);
  if (known === undefined) {
    // The worker's record is still to come, and then finds the row there: what the lease claimed for him counts.
    const segments = Math.round(lease.segments / lease.people.length);
    const costMicroUsd = Math.floor(lease.costMicroUsd / lease.people.length);
    known = {
      recipient: person.recipient,
      attempt: person.attempt,
      request: 0,
      result: 'accepted',
      cause: 'status_report',
      carrierUuid: report.uuid,
      segments,
      costMicroUsd,
      leaseId: lease.id,
      resolved: null,
      wasSent: false,
      final: null,
    };
    entry.attempts.push(known);
    addToCounter(message, 'accepted', 1);
    addToCounter(message, 'segments', segments);
    addToCounter(message, 'estimate_micro_usd', costMicroUsd);
    if (person.attempt > 1) addToCounter(message, 'left_deferral', 1);
  } else if (!isAbout(known, report.uuid)) {
    return 'mismatch';
  } else if (known.result === 'unknown' && known.resolved === null) {
    known.resolved = { uuid: report.uuid };
    addToCounter(message, 'accepted', 1);
    addToCounter(message, 'resolved', 1);
  }
  const verdict = moveForward(ledger, known, report, (counter) => addToCounter(message, counter, 1));
  // A text that was never handed over costs nothing.
  if (verdict === 'applied' && report.status === 'failed') {
    spend(ledger, message.campaignId, -known.costMicroUsd);
  }
  return verdict;
}

/** Whether the attempt can be what the carrier knows by this uuid. */
function isAbout(known: MemoryAttempt, uuid: string): boolean {
  if (known.result === 'rejected' || known.result === 'not_accepted') return false;
  const bound = known.carrierUuid ?? known.resolved?.uuid ?? null;
  return bound === null || bound === uuid;
}

function moveForward(
  ledger: MemoryLedger,
  known: MemoryAttempt,
  report: MemoryReport,
  count: (counter: string) => void,
): MemoryVerdict {
  const { status, errorCode } = report;
  if (status === 'queued') return 'applied';
  if (status === 'sent') {
    if (known.wasSent) return 'repeated';
    known.wasSent = true;
    count('sent');
    return 'applied';
  }
  if (known.final !== null) return 'repeated';
  known.final = { status, code: errorCode };
  count(status === 'delivered' ? status : `${status}:${errorCode ?? 'none'}`);
  const suppresses =
    errorCode === null || status === 'delivered' ? null : describeErrorCode(errorCode).suppresses;
  if (suppresses !== null && !ledger.suppressed.has(report.to)) ledger.suppressed.set(report.to, suppresses);
  return 'applied';
}

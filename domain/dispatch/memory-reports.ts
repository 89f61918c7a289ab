import { describeErrorCode } from '../error-codes.ts';
import { isRetried } from '../retry.ts';
import { addToCounter, campaignOf, entryOf, type MemoryLedger, messageOf, spend } from './memory-ledger.ts';
import type { MemoryAttempt, MemoryLease, MemoryMessage } from './memory-rows.ts';
import { countInRound, finalCounter, isSuperseded, resolveUnknown } from './memory-repeats.ts';
import { addAttempt } from './memory-store.ts';

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
    const { segments, costMicroUsd } = person;
    known = addAttempt(ledger, lease, message, {
      recipient: person.recipient,
      attempt: person.attempt,
      request: 0,
      result: 'accepted',
      cause: 'status_report',
      carrierUuid: report.uuid,
      segments,
      costMicroUsd,
    });
  } else if (!isAbout(known, report.uuid)) {
    return 'mismatch';
  } else {
    resolveUnknown(message, known, report.uuid, lease.repeats);
  }
  const verdict = moveForward(ledger, { lease, message, known }, report);
  // A text that was never handed over costs nothing.
  if (verdict === 'applied' && report.status === 'failed') {
    spend(ledger, message.campaignId, -known.costMicroUsd);
  }
  return verdict;
}

/** Whether the attempt can be what the carrier knows by this uuid. */
function isAbout(known: MemoryAttempt, uuid: string): boolean {
  if (known.result === 'rejected' || known.result === 'not_accepted') return false;
  // Whoever was posted in bulk form is bound to the uuid under which he was reported first.
  const bound = known.carrierUuid ?? known.resolved?.uuid ?? known.reportedUuid;
  return bound === null || bound === uuid;
}

function moveForward(
  ledger: MemoryLedger,
  of: { readonly lease: MemoryLease; readonly message: MemoryMessage; readonly known: MemoryAttempt },
  report: MemoryReport,
): MemoryVerdict {
  const { lease, message, known } = of;
  const { status, errorCode } = report;
  if (status === 'queued') return 'applied';
  const counts = !isSuperseded(entryOf(message, known.recipient), known.attempt);
  if (status === 'sent') {
    if (known.wasSent) return 'repeated';
    known.wasSent = true;
    known.reportedUuid ??= report.uuid;
    if (counts) addToCounter(message, 'sent', 1);
    return 'applied';
  }
  if (known.final !== null) return 'repeated';
  known.reportedUuid ??= report.uuid;
  known.final = { status, code: errorCode };
  if (counts) addToCounter(message, finalCounter(known.final), 1);
  countInRound(message, lease.repeats, status);
  // A campaign that rests sends nobody anything by itself: its failures wait for a round.
  const { isFinished } = campaignOf(ledger, message.campaignId);
  if (status === 'failed' && counts && !isFinished && isRetried(errorCode)) {
    const { recipient, attempt } = known;
    message.retries.push({ recipient, attempt, why: 'failed', code: errorCode });
  }
  const suppresses =
    errorCode === null || status === 'delivered' ? null : describeErrorCode(errorCode).suppresses;
  if (suppresses !== null && !ledger.suppressed.has(report.to)) ledger.suppressed.set(report.to, suppresses);
  return 'applied';
}

import {
  type AttemptResult,
  type DispatchStore,
  type LaneRef,
  type Lease,
  type LeaseAnswer,
  NO_FENCE,
} from './dispatch-store.ts';
import { addToCounter, entryOf, isInFlight, type MemoryLedger, messageOf, spend } from './memory-ledger.ts';
import type { MemoryAttempt, MemoryLease, MemoryMessage } from './memory-rows.ts';
import { isLaneOvertaken } from './message-plan.ts';
import { giveBackUnits } from './memory-claims.ts';
import { grantMemoryAgain } from './memory-grants.ts';
import { openMemoryLeases } from './memory-leases.ts';
import { countInRound, leaveFormerState, resolveUnknown } from './memory-repeats.ts';
import { appendLater } from './memory-retries.ts';
import { countersOfResult, mayBeTaken, refundOf } from './result-counters.ts';

/**
 * The ledger's rules in memory: the same contract as PostgreSQL's, for the simulator and the contract's tests. Each
 * call takes effect at once and as a whole, as a transaction does.
 */
export function createMemoryDispatchStore(ledger: MemoryLedger): DispatchStore {
  return {
    enterLane: (lane, askedAt) => {
      const message = messageOf(ledger, lane.messageId);
      if (isLaneOvertaken(askedAt, message)) return Promise.resolve({ fence: NO_FENCE, unknown: 0 });
      message.askedAt = askedAt;
      const fence = (message.fences.get(lane.lane) ?? 0) + 1;
      message.fences.set(lane.lane, fence);
      return Promise.resolve({ fence, unknown: closeOpenLeases(ledger, message, lane.lane) });
    },
    openLeases: (lane: LaneRef, fence: number, at: number, slots: number): Promise<LeaseAnswer> =>
      Promise.resolve(openMemoryLeases(ledger, lane, fence, at, slots)),
    record: (lease, results, retryAt) => {
      recordResults(ledger, lease, results, retryAt);
      return Promise.resolve();
    },
    grantAgain: (lease, left) => Promise.resolve(grantMemoryAgain(ledger, lease, left)),
    slowDown: (lease, delayMs) => {
      const until = ledger.machineNow() + delayMs;
      const sender = ledger.senders.get(lease.senderId);
      if (sender !== undefined) sender.slowedUntil = Math.max(sender.slowedUntil, until);
      ledger.carrier.pausedUntil = Math.max(ledger.carrier.pausedUntil, until);
      return Promise.resolve();
    },
  };
}

/** The carrier reports most texts within so long, so its list is asked later. */
const FIRST_ASK_DELAY_MS = 10_000;

/** Fences every lane of a message, when none of them should be running. Returns how many became unknown. */
export function fenceMemoryMessage(ledger: MemoryLedger, message: MemoryMessage): number {
  for (const [lane, fence] of message.fences) message.fences.set(lane, fence + 1);
  return closeOpenLeases(ledger, message, null);
}

/** Whoever an open lease holds without a result becomes unknown; he is never handed out again. */
function closeOpenLeases(ledger: MemoryLedger, message: MemoryMessage, lane: number | null): number {
  let unknown = 0;
  for (const lease of ledger.leases.values()) {
    if (!lease.isOpen || lease.messageId !== message.id || (lane !== null && lease.lane !== lane)) continue;
    lease.isOpen = false;
    for (const person of lease.people) {
      const entry = entryOf(message, person.recipient);
      if (entry.attempts.some((one) => one.attempt === person.attempt)) continue;
      const result: AttemptResult = {
        recipient: person.recipient,
        attempt: person.attempt,
        request: 0,
        result: 'unknown',
        cause: 'worker_lost',
        carrierUuid: null,
        segments: person.segments,
        costMicroUsd: person.costMicroUsd,
      };
      addAttempt(ledger, lease, message, result);
      unknown += 1;
    }
  }
  return unknown;
}

function recordResults(
  ledger: MemoryLedger,
  lease: Lease,
  results: readonly AttemptResult[],
  retryAt: number,
): void {
  const owner = ledger.leases.get(lease.id);
  if (owner === undefined) throw new Error(`There is no lease ${lease.id}.`);
  const message = messageOf(ledger, owner.messageId);
  const deferred: { recipient: number; attempt: number }[] = [];
  for (const result of results) {
    const entry = entryOf(message, result.recipient);
    const known = entry.attempts.find((one) => one.attempt === result.attempt);
    if (known !== undefined) {
      // Somebody else was faster. An acceptance that this worker saw resolves what the fence did not know.
      if (result.result === 'accepted') resolveUnknown(message, known, result.carrierUuid, owner.repeats);
      continue;
    }
    addAttempt(ledger, owner, message, result);
    spend(ledger, message.campaignId, -refundOf(result));
    if (!mayBeTaken(result)) giveBackUnits(ledger, lease.quotaClaims, result.segments);
    if (result.result === 'not_accepted') {
      deferred.push({ recipient: result.recipient, attempt: result.attempt + 1 });
    }
  }
  appendLater(message, deferred, retryAt, owner.repeats);
  owner.isOpen = owner.isOpen && isInFlight(ledger, owner);
}

/** Writes one result. Whoever is tried again stays what he was where the carrier certainly did not take it. */
export function addAttempt(
  ledger: MemoryLedger,
  lease: MemoryLease,
  message: MemoryMessage,
  result: AttemptResult,
): MemoryAttempt {
  const entry = entryOf(message, result.recipient);
  const recordedAt = ledger.machineNow();
  const isUnknown = result.result === 'unknown';
  const attempt: MemoryAttempt = {
    ...result,
    leaseId: lease.id,
    recordedAt,
    doubt: isUnknown
      ? {
          state: 'open',
          postedSince: lease.openedAt,
          postedUntil: recordedAt,
          nextAskAt: recordedAt + FIRST_ASK_DELAY_MS,
        }
      : null,
    reportedUuid: null,
    resolved: null,
    wasSent: false,
    final: null,
  };
  entry.attempts.push(attempt);
  const isRepeated = lease.repeats !== null;
  for (const [counter, delta] of countersOfResult(result, isRepeated)) addToCounter(message, counter, delta);
  if (isRepeated && result.result !== 'not_accepted') {
    leaveFormerState(message, entry, result.attempt);
    countInRound(message, lease.repeats, result.result);
  }
  return attempt;
}

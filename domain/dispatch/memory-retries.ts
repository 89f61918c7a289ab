import { retryDueAt } from '../retry.ts';
import { entryOf, type MemoryLedger, messagesOf } from './memory-ledger.ts';
import type { MemoryCampaign, MemoryMessage, MemoryRepeats } from './memory-rows.ts';

/** Somebody of a message, with the number of the attempt that he is then granted. */
interface LaterMember {
  readonly recipient: number;
  readonly attempt: number;
}

/** Puts people into the newest later wave of its kind that has not begun and is due no earlier, else into the next. */
export function appendLater(
  message: MemoryMessage,
  members: readonly LaterMember[],
  dueAt: number,
  repeats: MemoryRepeats | null,
): void {
  if (members.length === 0) return;
  const newest = message.waves.at(-1);
  const isOfKind =
    newest !== undefined &&
    (newest.repeats === null) === (repeats === null) &&
    newest.repeats?.round === repeats?.round;
  if (newest !== undefined && isOfKind && newest.number > 0 && newest.next === 0) {
    if ((newest.dueAt ?? 0) >= dueAt) {
      newest.members.push(...members);
      return;
    }
  }
  message.waves.push({ number: (newest?.number ?? 0) + 1, members: [...members], dueAt, next: 0, repeats });
}

/**
 * Puts everybody of a message into later waves after whose last attempt a new one follows by itself, and forgets those
 * for whom there is none any more. `at` is campaign time. Returns how many are tried again.
 */
export function collectMemoryRetries(message: MemoryMessage, at: number): number {
  const noted = message.retries.splice(0);
  let count = 0;
  for (const { recipient, attempt, why, code } of noted) {
    const { attempts } = entryOf(message, recipient);
    // A round, or the list, may have given him his next attempt before this was told.
    const waits = message.waves.some(({ members }) =>
      members.some((member) => member.recipient === recipient && member.attempt > attempt),
    );
    if (waits || attempts.some((one) => one.attempt > attempt)) continue;
    const failures = attempts.filter((one) => one.final?.status === 'failed').length;
    const unknowns = attempts.filter((one) => one.doubt !== null && one.doubt.state !== 'accepted').length;
    const dueAt = retryDueAt({ why, code, failures, unknowns }, at, message.expiresAt);
    if (dueAt === null) continue;
    appendLater(message, [{ recipient, attempt: attempt + 1 }], dueAt, { round: null });
    count += 1;
  }
  return count;
}

/** A message that was over goes on when somebody of it is tried again by itself. */
export function reopenMemoryMessages(ledger: MemoryLedger, campaignId: string, at: number): void {
  for (const message of messagesOf(ledger, campaignId)) {
    if (message.status !== 'sent' || message.retries.length === 0) continue;
    if (collectMemoryRetries(message, at) === 0) continue;
    message.status = 'sending';
    message.endedAt = null;
  }
}

/** Nothing follows by itself any more, as the campaign rests. */
export function finishMemoryCampaign(ledger: MemoryLedger, campaign: MemoryCampaign): void {
  campaign.isFinished = true;
  for (const message of messagesOf(ledger, campaign.id)) message.retries.length = 0;
}

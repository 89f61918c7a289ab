import type { RoundKind } from '../round.ts';
import {
  addToCounter,
  campaignOf,
  entryOf,
  freezeMemoryAudience,
  gatesAreOpen,
  type MemoryLedger,
  messageOf,
  messagesOf,
  senderOf,
} from './memory-ledger.ts';
import type { MemoryEntry, MemoryMessage } from './memory-rows.ts';
import { countInRound, lastOf } from './memory-repeats.ts';
import { appendLater, collectMemoryRetries } from './memory-retries.ts';
import { fenceMemoryMessage } from './memory-store.ts';
import { decideMessage, isOvertaken, type MessagePlan, overtakenPlan } from './message-plan.ts';

/** Audiences in memory are small; each member counts for so many, so that they are worth as many lanes as large ones. */
const STANDS_FOR = 256;

/** Decides what a message does next; whoever its lanes left open becomes unknown first. */
export function planMemoryMessage(ledger: MemoryLedger, messageId: string, at: number): MessagePlan {
  const message = messageOf(ledger, messageId);
  if (isOvertaken(at, message)) return overtakenPlan(at, message);
  message.plannedAt = at;
  fenceMemoryMessage(ledger, message);
  if (message.status === 'sending') collectMemoryRetries(message, at);
  const plan = decideMessage(
    {
      isHeld: message.status !== 'sending' || !gatesAreOpen(ledger, message),
      openWaves: message.waves
        .filter((one) => one.next < one.members.length)
        .map(({ dueAt, members, next }) => ({ dueAt, left: (members.length - next) * STANDS_FOR })),
      expiresAt: message.expiresAt,
      quietHours: ledger.quietHours,
      timeZone: ledger.timeZone,
      pace: senderOf(ledger, message).pace,
    },
    at,
  );
  if (plan.kind === 'done') {
    const size = campaignOf(ledger, message.campaignId).audience?.length ?? 0;
    const expired = message.counters.get('expired') ?? 0;
    message.status = expired > 0 && expired === size ? 'expired' : 'sent';
    message.endedAt = at;
  }
  return plan;
}

/** Gives up on everybody of an expired message who was not handed out. Returns how many. */
export function expireMemoryMessage(ledger: MemoryLedger, messageId: string): number {
  const message = messageOf(ledger, messageId);
  // The order to give up may be older than a restart.
  if (message.status !== 'sending') return 0;
  let expired = 0;
  for (const wave of message.waves) {
    for (const { recipient } of wave.members.slice(wave.next)) {
      expired += 1;
      // Whoever is left in a wave that repeats stays what he was.
      if (wave.repeats !== null) {
        countInRound(message, wave.repeats, 'left_out');
        continue;
      }
      entryOf(message, recipient).skip = 'expired';
      addToCounter(message, 'expired', 1);
      if (wave.number > 0) addToCounter(message, 'left_deferral', 1);
    }
    wave.next = wave.members.length;
  }
  return expired;
}

/** Counts one hold on a scope more or less; its gate is open while there is none. */
export function moveMemoryGate(ledger: MemoryLedger, scope: string, by: 1 | -1): void {
  ledger.gates.set(scope, Math.max(0, (ledger.gates.get(scope) ?? 0) + by));
}

/** Ends a stopped campaign's messages: those that have begun are cut, the others cancelled. */
export function endMemoryMessages(ledger: MemoryLedger, campaignId: string): void {
  for (const message of messagesOf(ledger, campaignId)) {
    if (message.status === 'sending') message.status = 'cut';
    else if (message.status === 'scheduled') message.status = 'cancelled';
  }
}

/**
 * Gives what a stop has cut or cancelled a new time, in campaign time; the audience is frozen again only if nobody was
 * ever leased.
 */
export function restartMemoryCampaign(
  ledger: MemoryLedger,
  campaignId: string,
  schedule: { readonly dueAt: number; readonly expiresAt: number | null },
): void {
  freezeMemoryAudience(ledger, campaignId);
  for (const message of messagesOf(ledger, campaignId)) {
    if (message.status !== 'cut' && message.status !== 'cancelled') continue;
    message.status = 'scheduled';
    message.dueAt = schedule.dueAt;
    message.expiresAt = schedule.expiresAt;
  }
}

/**
 * Begins those of a campaign's messages that are due and have no run of theirs left from before. Returns when the next
 * one begins, in campaign time; null without any.
 */
export function beginMemoryMessages(
  ledger: MemoryLedger,
  campaignId: string,
  isRunning: (messageId: string) => boolean,
  at: number,
): number | null {
  let next: number | null = null;
  for (const message of messagesOf(ledger, campaignId)) {
    const { status, dueAt } = message;
    if (status !== 'scheduled' || dueAt === null) continue;
    if (dueAt > at) next = Math.min(next ?? dueAt, dueAt);
    else if (!isRunning(message.id)) message.status = 'sending';
  }
  return next;
}

/**
 * Orders a round of a message of a finished campaign: whom the carrier never handed over, or of whom nobody knows, gets
 * one more attempt. Returns their numbers. Whoever is in it stays what he was until there is a result. `at` is campaign
 * time, from which the expiry is counted anew.
 */
export function orderMemoryRound(
  ledger: MemoryLedger,
  messageId: string,
  kind: RoundKind,
  at: number,
): string[] {
  const message = messageOf(ledger, messageId);
  const campaign = campaignOf(ledger, message.campaignId);
  if (!isOver(message)) return [];
  const members: { recipient: number; attempt: number }[] = [];
  for (const [recipient, entry] of message.entries) {
    const last = lastOf(entry.attempts);
    if (last === undefined || !isMeant(kind, entry)) continue;
    members.push({ recipient, attempt: last.attempt + 1 });
  }
  if (members.length === 0) return [];
  message.rounds += 1;
  // What would follow by itself is decided by this order now, and nobody is in two passes.
  message.retries.length = 0;
  const repeats = { round: message.rounds };
  appendLater(message, members, at, repeats);
  countInRound(message, repeats, 'recipients', members.length);
  message.status = 'sending';
  message.endedAt = null;
  message.expiresAt = message.expiresAfterMs === null ? null : at + message.expiresAfterMs;
  campaign.isFinished = false;
  return members.map(({ recipient }) => campaign.audience?.[recipient - 1]?.number ?? '');
}

function isOver({ status }: MemoryMessage): boolean {
  return status === 'sent' || status === 'expired';
}

function isMeant(kind: RoundKind, { attempts }: MemoryEntry): boolean {
  if (kind === 'resend_unknown') {
    return attempts.some(({ doubt }) => doubt !== null && ['open', 'absent', 'final'].includes(doubt.state));
  }
  const counted = lastOf(attempts.filter((one) => one.result !== 'not_accepted'));
  return counted?.final?.status === 'failed';
}

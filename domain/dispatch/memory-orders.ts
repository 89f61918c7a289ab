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
import { fenceMemoryMessage } from './memory-store.ts';
import { decideMessage, type MessagePlan } from './message-plan.ts';

/** Decides what a message does next; whoever its lanes left open becomes unknown first. */
export function planMemoryMessage(ledger: MemoryLedger, messageId: string, at: number): MessagePlan {
  const message = messageOf(ledger, messageId);
  fenceMemoryMessage(ledger, message);
  const plan = decideMessage(
    {
      isHeld: message.status !== 'sending' || !gatesAreOpen(ledger, message),
      openWavesDueAt: message.waves.filter((one) => one.next < one.members.length).map((one) => one.dueAt),
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
  }
  return plan;
}

/** Gives up on everybody of an expired message who was not handed out. Returns how many. */
export function expireMemoryMessage(ledger: MemoryLedger, messageId: string): number {
  const message = messageOf(ledger, messageId);
  let expired = 0;
  for (const wave of message.waves) {
    for (const { recipient } of wave.members.slice(wave.next)) {
      entryOf(message, recipient).skip = 'expired';
      addToCounter(message, 'expired', 1);
      if (wave.number > 0) addToCounter(message, 'left_deferral', 1);
      expired += 1;
    }
    wave.next = wave.members.length;
  }
  return expired;
}

/** Places a hold on a scope; returns how many people may still be on their way to the carrier. */
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

/** Takes up again what a stop has cut or cancelled; the audience is frozen again only if nobody was ever leased. */
export function restartMemoryCampaign(
  ledger: MemoryLedger,
  campaignId: string,
  expiresAt: number | null,
): void {
  freezeMemoryAudience(ledger, campaignId);
  for (const message of messagesOf(ledger, campaignId)) {
    if (message.status !== 'cut' && message.status !== 'cancelled') continue;
    message.status = 'sending';
    message.expiresAt = expiresAt;
  }
}

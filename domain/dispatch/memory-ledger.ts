import type { QuietHours } from '../quiet-hours.ts';
import type {
  MemoryCampaign,
  MemoryCircuit,
  MemoryEntry,
  MemoryLease,
  MemoryMessage,
  MemoryQuota,
  MemorySender,
} from './memory-rows.ts';
import { LEASE_WIDTH_MAX, type RequestLimit } from './pace.ts';

/** Everything an account's dispatch depends on, in memory. Tests and the simulator change it between calls. */
export interface MemoryLedger {
  readonly accountId: string;
  timeZone: string;
  quietHours: QuietHours;
  spendLimitMicroUsd: number | null;
  spentMicroUsd: number;
  /** What a segment costs. */
  readonly segmentMicroUsd: number;
  /** The most recipients of one lease; the simulator's campaigns are too small to need several of production's. */
  readonly leaseWidthMax: number;
  /** How many holds each scope has; a scope that is missing refuses. */
  readonly gates: Map<string, number>;
  /** Suppressed numbers and why. */
  readonly suppressed: Map<string, string>;
  readonly carrier: {
    limit: RequestLimit;
    nextRequestAt: number;
    pausedUntil: number;
    nextListAt: number;
    /** How many requests it takes at once; 0 is any number. */
    readonly atOnceMax: number;
    /** By worker; machine time. */
    readonly permits: Map<string, { readonly permits: number; readonly expiresAt: number }>;
  };
  /** Since when texts that the list does not have are sent again by themselves; machine time, null is never. */
  resendAbsentSince: number | null;
  readonly senders: Map<string, MemorySender>;
  readonly quotas: Map<string, MemoryQuota>;
  readonly circuits: Map<string, MemoryCircuit>;
  readonly campaigns: Map<string, MemoryCampaign>;
  readonly messages: Map<string, MemoryMessage>;
  readonly leases: Map<number, MemoryLease>;
  /** Machine time in milliseconds, for pace. */
  readonly machineNow: () => number;
}

/** The only carrier account in memory. */
export const CARRIER_ACCOUNT = 'carrier';
/** Scope id of the gate over everything. */
export const INSTALLATION_SCOPE = 'installation';

/** What a ledger begins with. */
export interface MemorySettings {
  readonly accountId: string;
  readonly timeZone: string;
  readonly quietHours: QuietHours;
  readonly spendLimitMicroUsd: number | null;
  readonly segmentMicroUsd: number;
  /** As in production unless given. */
  readonly leaseWidthMax?: number;
  readonly limit: RequestLimit;
  /** How many requests the carrier takes at once; any number unless given. */
  readonly atOnceMax?: number;
  readonly machineNow: () => number;
}

/** An account without senders and campaigns. */
export function createMemoryLedger(settings: MemorySettings): MemoryLedger {
  const { limit, atOnceMax = 0, leaseWidthMax = LEASE_WIDTH_MAX, ...rest } = settings;
  return {
    ...rest,
    leaseWidthMax,
    spentMicroUsd: 0,
    gates: new Map([
      [INSTALLATION_SCOPE, 0],
      [settings.accountId, 0],
    ]),
    suppressed: new Map(),
    carrier: { limit, nextRequestAt: 0, pausedUntil: 0, nextListAt: 0, atOnceMax, permits: new Map() },
    resendAbsentSince: null,
    senders: new Map(),
    quotas: new Map(),
    circuits: new Map(),
    campaigns: new Map(),
    messages: new Map(),
    leases: new Map(),
  };
}

/** Adds a sender with its gate. */
export function addSender(ledger: MemoryLedger, id: string, pace: number | null): MemorySender {
  const sender: MemorySender = { id, pace, isDisabled: false, quotaIds: [], nextFreeAt: 0, slowedUntil: 0 };
  ledger.senders.set(id, sender);
  ledger.gates.set(id, 0);
  return sender;
}

/** Adds a campaign that is not frozen yet, with its gate. */
export function addCampaign(
  ledger: MemoryLedger,
  campaign: Pick<MemoryCampaign, 'id' | 'senderId' | 'contacts'>,
): MemoryCampaign {
  const added: MemoryCampaign = {
    ...campaign,
    audience: null,
    everLeased: false,
    isFinished: false,
    budgetMicroUsd: null,
    spentMicroUsd: 0,
  };
  ledger.campaigns.set(added.id, added);
  ledger.gates.set(added.id, 0);
  return added;
}

/** Adds a message that is being sent, with its gate. */
export function addMessage(
  ledger: MemoryLedger,
  message: Pick<
    MemoryMessage,
    'id' | 'campaignId' | 'isConstant' | 'segments' | 'expiresAt' | 'expiresAfterMs'
  >,
): MemoryMessage {
  const added: MemoryMessage = {
    ...message,
    key: ledger.messages.size + 1,
    status: 'sending',
    dueAt: null,
    endedAt: null,
    rounds: 0,
    retries: [],
    waves: [],
    plannedAt: null,
    askedAt: null,
    fences: new Map(),
    entries: new Map(),
    counters: new Map(),
  };
  ledger.messages.set(added.id, added);
  ledger.gates.set(added.id, 0);
  return added;
}

/** Writes a campaign's audience, each number once; again only while nobody was ever leased and no message has ended. */
export function freezeMemoryAudience(ledger: MemoryLedger, campaignId: string): void {
  const campaign = campaignOf(ledger, campaignId);
  const hasEnded = (message: MemoryMessage): boolean => ['sent', 'expired'].includes(message.status);
  if (campaign.everLeased || messagesOf(ledger, campaignId).some(hasEnded)) return;
  const byNumber = new Map(campaign.contacts.map((contact) => [contact.number, contact]));
  campaign.audience = [...byNumber.values()].map((contact, index) => ({ ...contact, recipient: index + 1 }));
  const members = campaign.audience.map(({ recipient }) => ({ recipient, attempt: 1 }));
  for (const message of messagesOf(ledger, campaignId)) {
    message.waves.length = 0;
    message.entries.clear();
    message.counters.clear();
    message.waves.push({ number: 0, members: [...members], dueAt: null, next: 0, repeats: null });
  }
}

/** The messages of a campaign in their order. */
export function messagesOf(ledger: MemoryLedger, campaignId: string): MemoryMessage[] {
  return [...ledger.messages.values()].filter((message) => message.campaignId === campaignId);
}

/** The message, which has to be there. */
export function messageOf(ledger: MemoryLedger, messageId: string): MemoryMessage {
  const message = ledger.messages.get(messageId);
  if (message === undefined) throw new Error(`There is no message ${messageId}.`);
  return message;
}

/** The campaign, which has to be there. */
export function campaignOf(ledger: MemoryLedger, campaignId: string): MemoryCampaign {
  const campaign = ledger.campaigns.get(campaignId);
  if (campaign === undefined) throw new Error(`There is no campaign ${campaignId}.`);
  return campaign;
}

/** What is known of a recipient; begun when first asked for. */
export function entryOf(message: MemoryMessage, recipient: number): MemoryEntry {
  const known = message.entries.get(recipient);
  if (known !== undefined) return known;
  const fresh: MemoryEntry = { attempts: [], skip: null };
  message.entries.set(recipient, fresh);
  return fresh;
}

/** Whether somebody of a lease may still be on his way: leased, and without a result. */
export function isInFlight(ledger: MemoryLedger, lease: MemoryLease): boolean {
  const message = messageOf(ledger, lease.messageId);
  return lease.people.some(({ recipient, attempt }) => {
    const known = message.entries.get(recipient)?.attempts ?? [];
    return known.every((one) => one.attempt !== attempt);
  });
}

/** Claims money of the account and of the campaign, or gives it back where it is less than nothing. */
export function spend(ledger: MemoryLedger, campaignId: string, microUsd: number): void {
  ledger.spentMicroUsd += microUsd;
  campaignOf(ledger, campaignId).spentMicroUsd += microUsd;
}

/** Adds to one of the message's counters. */
export function addToCounter(message: MemoryMessage, counter: string, delta: number): void {
  message.counters.set(counter, (message.counters.get(counter) ?? 0) + delta);
}

/** Scopes whose gates all have to be open for the message. */
export function scopesOfMessage(ledger: MemoryLedger, message: MemoryMessage): string[] {
  const { senderId } = campaignOf(ledger, message.campaignId);
  return [INSTALLATION_SCOPE, ledger.accountId, message.campaignId, message.id, senderId];
}

/** Whether all gates over the message are open; one that is missing refuses. */
export function gatesAreOpen(ledger: MemoryLedger, message: MemoryMessage): boolean {
  return scopesOfMessage(ledger, message).every((scope) => ledger.gates.get(scope) === 0);
}

/** The message's sender. */
export function senderOf(ledger: MemoryLedger, message: MemoryMessage): MemorySender {
  const { senderId } = campaignOf(ledger, message.campaignId);
  const sender = ledger.senders.get(senderId);
  if (sender === undefined) throw new Error(`There is no sender ${senderId}.`);
  return sender;
}

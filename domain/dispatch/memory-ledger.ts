import type { MessageStatus } from '../campaign-status.ts';
import type { UnknownState } from '../carrier-list.ts';
import type { QuietHours } from '../quiet-hours.ts';
import type { AttemptResult } from './dispatch-store.ts';
import { LEASE_WIDTH_MAX, type RequestLimit } from './pace.ts';
import type { Quota, QuotaUse } from './quota.ts';

/** Somebody whom a campaign's lists hold. */
export interface MemoryContact {
  /** E.164. */
  readonly number: string;
  /** What the number's owner is called; personalised texts hold it. */
  readonly name: string;
}

/** One of a frozen audience. */
export interface MemoryRecipient extends MemoryContact {
  /** His number within the audience, from 1. */
  readonly recipient: number;
}

/** What is known of an unknown attempt; machine time. */
export interface MemoryDoubt {
  state: UnknownState;
  /** The post lies between these. */
  readonly postedSince: number;
  readonly postedUntil: number;
  nextAskAt: number;
}

/** One attempt for one recipient, and what was learned of it since. */
export interface MemoryAttempt extends AttemptResult {
  readonly leaseId: number;
  /** Machine time. */
  readonly recordedAt: number;
  /** Null unless it is unknown, or was. */
  readonly doubt: MemoryDoubt | null;
  /** Under which a report of `sent` or a final status knows it. */
  reportedUuid: string | null;
  /** An unknown that turned out accepted. */
  resolved: { readonly uuid: string | null } | null;
  wasSent: boolean;
  /** The first final status; later ones change nothing. */
  final: { readonly status: 'delivered' | 'undelivered' | 'failed'; readonly code: string | null } | null;
}

/** What is known of one recipient of a message. */
export interface MemoryEntry {
  readonly attempts: MemoryAttempt[];
  /** Why he is not texted, `expired` among the reasons. */
  skip: string | null;
}

/** A wave whose members stay what they were until a new attempt has a result. */
export interface MemoryRepeats {
  /** The round that ordered it; null: it follows by itself. */
  readonly round: number | null;
}

/** An attempt after which a new one may follow by itself. */
export interface MemoryRetry {
  readonly recipient: number;
  readonly attempt: number;
  readonly why: 'failed' | 'absent';
  readonly code: string | null;
}

/** An ordered part of a message's recipients. Campaign time; null is due at once. */
export interface MemoryWave {
  readonly number: number;
  readonly members: { readonly recipient: number; readonly attempt: number }[];
  readonly dueAt: number | null;
  /** Index of the first member who was not handed out. */
  next: number;
  readonly repeats: MemoryRepeats | null;
}

/** A send-as number; its pace is shared by everything that is sent from it. Machine time. */
export interface MemorySender {
  readonly id: string;
  /** Segments a second; null is unpaced. */
  pace: number | null;
  isDisabled: boolean;
  /** What it shares with other senders. */
  readonly quotaIds: string[];
  nextFreeAt: number;
  slowedUntil: number;
}

/** What several senders may send together, and what they have. */
export interface MemoryQuota {
  quota: Quota;
  use: QuotaUse;
  /** Machine time. */
  nextFreeAt: number;
}

/** Whether a sender or the carrier account is given a rest; machine time. */
export interface MemoryCircuit {
  failures: number;
  trips: number;
  openedAt: number | null;
  probeAfter: number;
  probingUntil: number | null;
}

/** A campaign with its frozen audience. */
export interface MemoryCampaign {
  readonly id: string;
  readonly senderId: string;
  /** Whom its lists hold now; the audience is frozen from them. */
  readonly contacts: MemoryContact[];
  /** Null until frozen. */
  audience: readonly MemoryRecipient[] | null;
  everLeased: boolean;
  /** Nothing follows by itself any more. */
  isFinished: boolean;
  /** Null is no budget; what was spent counts with or without one. */
  budgetMicroUsd: number | null;
  spentMicroUsd: number;
}

/** One step of a campaign. */
export interface MemoryMessage {
  readonly id: string;
  readonly key: number;
  readonly campaignId: string;
  /** One text for everybody goes out in the carrier's bulk form. */
  readonly isConstant: boolean;
  readonly segments: number;
  status: MessageStatus;
  expiresAt: number | null;
  /** From when it is set going to its expiry; null is without end. */
  readonly expiresAfterMs: number | null;
  /** Campaign time. */
  endedAt: number | null;
  /** How many rounds were ordered of it. */
  rounds: number;
  readonly retries: MemoryRetry[];
  readonly waves: MemoryWave[];
  /** The newest fence of each lane. */
  readonly fences: Map<number, number>;
  readonly entries: Map<number, MemoryEntry>;
  readonly counters: Map<string, number>;
}

/** A committed lease. */
export interface MemoryLease {
  readonly id: number;
  readonly messageId: string;
  readonly lane: number;
  /** What its wave is. */
  readonly repeats: MemoryRepeats | null;
  readonly people: readonly {
    readonly recipient: number;
    readonly attempt: number;
    readonly number: string;
  }[];
  readonly segments: number;
  readonly costMicroUsd: number;
  /** Machine time. */
  readonly openedAt: number;
  isOpen: boolean;
}

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
    endedAt: null,
    rounds: 0,
    retries: [],
    waves: [],
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

import type { MessageStatus } from '../campaign-status.ts';
import type { UnknownState } from '../carrier-list.ts';
import type { AttemptResult, LeasedRecipient } from './dispatch-store.ts';
import type { Quota, QuotaUse } from './quota.ts';

/** Somebody whom a campaign's lists hold. */
export interface MemoryContact {
  /** E.164. */
  readonly number: string;
  /** What the number's owner is called; personalised texts hold it. */
  readonly name: string;
  /** How many segments his name adds to a personalised text; none unless given. */
  readonly nameSegments?: number;
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
  /** Of its text without anybody's name. */
  readonly segments: number;
  status: MessageStatus;
  /** When it begins, in campaign time, while it is scheduled. */
  dueAt: number | null;
  expiresAt: number | null;
  /** From when it is set going to its expiry; null is without end. */
  readonly expiresAfterMs: number | null;
  /** Campaign time. */
  endedAt: number | null;
  /** How many rounds were ordered of it. */
  rounds: number;
  readonly retries: MemoryRetry[];
  readonly waves: MemoryWave[];
  /** Campaign time of the newest plan that was carried out, and of the order of the lane that entered last. */
  plannedAt: number | null;
  askedAt: number | null;
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
  /** Whom it allows to be texted, each with what was claimed for him. */
  readonly people: readonly LeasedRecipient[];
  /** Machine time. */
  readonly openedAt: number;
  isOpen: boolean;
}

/** A lane of a message: one of the few activities that work through its leases at a time. */
export interface LaneRef {
  readonly accountId: string;
  readonly campaignId: string;
  readonly messageId: string;
  readonly lane: number;
}

/** One recipient whom a lease allows to be texted, once. */
export interface LeasedRecipient {
  /** His number within the campaign's audience, from 1. */
  readonly recipient: number;
  /** 1 for the first attempt; n + 1 exists only if n was certainly not accepted or has failed, or in a round. */
  readonly attempt: number;
  /** E.164. */
  readonly number: string;
  /** Keyed hash of the number, hexadecimal; what a late opt-out is recognised by. */
  readonly numberHash: string;
  readonly text: string;
  readonly segments: number;
  readonly costMicroUsd: number;
}

/** What was taken of a quota's daily cap, so that it can be given back. */
export interface QuotaClaim {
  readonly quotaId: string;
  /** The quota's day, as YYYY-MM-DD in its own zone. */
  readonly day: string;
  /** So much of each unit was counted, in percent. */
  readonly sharePercent: number;
}

/** A committed permission to text a range of a wave. It is never handed out again. */
export interface Lease {
  readonly id: number;
  /** Ledger month, `YYYY-MM-01`. */
  readonly month: string;
  readonly accountId: string;
  readonly messageKey: number;
  readonly lane: number;
  readonly fence: number;
  readonly carrierAccountId: string;
  readonly senderId: string;
  readonly from: string;
  readonly kind: 'sms' | 'mms';
  readonly mediaUrls: readonly string[];
  /** Scopes whose gates have to be open, looked at again before each post. */
  readonly scopes: readonly string[];
  readonly recipients: readonly LeasedRecipient[];
  /** The quotas that all of its units were counted for. */
  readonly quotaClaims: readonly QuotaClaim[];
  /** Recipients with one text go out in one request in the carrier's bulk form. */
  readonly isBulk: boolean;
  /** Neither pace nor quota nor the carrier limits how fast its requests go out, and how many at once. */
  readonly isUnlimited: boolean;
  /** One text to a carrier in trouble, to see whether it takes it. */
  readonly isProbe: boolean;
  /** The pace granted: machine milliseconds from one segment to the next, 0 when unpaced. */
  readonly segmentIntervalMs: number;
  /** The carrier account's limit: machine milliseconds from one request to the next, 0 when free. */
  readonly requestIntervalMs: number;
  /** How long to wait until the first post, since the pace granted begins then; negative where that has passed. */
  readonly startDelayMs: number;
  /** Campaign time at which the window closes or the message expires; nothing is posted from then on. */
  readonly closesAt: number | null;
}

/** Why a campaign is suspended by what happens to it. */
export type SuspendCause =
  | 'spend_limit'
  | 'campaign_budget'
  | 'sender_disabled'
  /** Of a part whose account has none that may send it. */
  | 'no_sender'
  | 'registration_lapsed'
  | 'credit'
  | 'carrier_disabled'
  | 'credentials'
  | 'carrier_down'
  | 'spam'
  | 'list_gone';

/** The fence of a run that may not enter its lane; those that may count from 1. */
export const NO_FENCE = 0;

/** A cause to suspend a campaign. */
export interface Suspension {
  readonly kind: 'suspend';
  readonly cause: SuspendCause;
  /** What the text costs that nobody can pay for, where money is the cause and it is known. */
  readonly textMicroUsd?: number;
}

/** What a store answers to a lane that asks for work. */
export type LeaseAnswer =
  /** Several where everybody gets the same text: each is no wider than one, and goes out in a request of its own. */
  | { readonly kind: 'leased'; readonly leases: readonly Lease[] }
  /** Everybody in the range had a reason not to be texted; ask again at once. */
  | { readonly kind: 'skipped'; readonly count: number }
  /** Pace or the carrier's limit: ask again after machine milliseconds. */
  | { readonly kind: 'wait'; readonly delayMs: number }
  /** Quiet hours, in campaign time. */
  | { readonly kind: 'closed'; readonly opensAt: number }
  /** A gate is closed, or the message is not being sent (any more, or yet). */
  | { readonly kind: 'held' }
  | Suspension
  | { readonly kind: 'expired' }
  /** Nothing to lease now; later waves may become due. */
  | { readonly kind: 'exhausted'; readonly nextDueAt: number | null }
  /** A newer run has the lane: this one is a zombie and must end. */
  | { readonly kind: 'fenced' };

/** Why there is no lease. */
export type LeaseRefusal = Exclude<LeaseAnswer, { kind: 'leased' }>;

/** What became of one attempt, to be recorded once. */
export interface AttemptResult {
  readonly recipient: number;
  readonly attempt: number;
  /** The request within its lease. */
  readonly request: number;
  readonly result: 'accepted' | 'rejected' | 'not_accepted' | 'unknown';
  readonly cause: string | null;
  readonly carrierUuid: string | null;
  readonly segments: number;
  readonly costMicroUsd: number;
}

/**
 * The ledger as dispatch sees it. One contract, two stores: PostgreSQL in production, memory in the
 * simulator; the same suite runs against both.
 *
 * `at` is campaign time and decides windows, schedules and expiry. A store measures pace and the age of a
 * lease with machine time of its own.
 */
export interface DispatchStore {
  /**
   * Takes the lane's next fence number. Whoever an older lease of this lane left open becomes unknown. `askedAt` is the
   * campaign time at which the run was ordered: one that a later plan of the message has overtaken, as a worker may begin
   * that stood still meanwhile, takes nothing from whoever is at work, and its fence, `NO_FENCE`, leases nothing.
   */
  enterLane(lane: LaneRef, askedAt: number): Promise<{ readonly fence: number; readonly unknown: number }>;
  /** Passes all claims in one transaction and commits leases, or says why not. `slots` is how many requests may start. */
  openLeases(lane: LaneRef, fence: number, at: number, slots: number): Promise<LeaseAnswer>;
  /** Writes results, each once. Who was certainly not accepted goes to a later wave that is due at `retryAt`. */
  record(lease: Lease, results: readonly AttemptResult[], retryAt: number): Promise<void>;
  /**
   * Claims pace and requests of a lease once more for what is left of it, since the time that it was granted has passed
   * and others have been granted what comes now. Resolves with the machine milliseconds until the first may go out.
   */
  grantAgain(lease: Lease, left: { readonly requests: number; readonly units: number }): Promise<number>;
  /** Slows the sender down for every worker and campaign, after a 429. */
  slowDown(lease: Lease, delayMs: number): Promise<void>;
}

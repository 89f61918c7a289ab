import type { MessageStatus } from '../../../domain/campaign-status.ts';
import type {
  AttemptResult,
  DispatchStore,
  LaneRef,
  Lease,
  LeaseAnswer,
} from '../../../domain/dispatch/dispatch-store.ts';
import type { MessagePlan } from '../../../domain/dispatch/message-plan.ts';
import { leasedPeople } from '../only-lease.ts';

/** The world around one message of a fresh campaign, as the contract's tests steer and read it. */
export interface StoreHarness {
  readonly store: DispatchStore;
  readonly lane: (lane: number) => LaneRef;
  /** Noon in the account's zone: outside quiet hours. */
  readonly noon: number;
  readonly closeGate: (
    scope: 'installation' | 'account' | 'campaign' | 'message' | 'sender',
  ) => Promise<void>;
  readonly openGate: (scope: 'installation' | 'account' | 'campaign' | 'message' | 'sender') => Promise<void>;
  /** Of the message, which is being sent at first. */
  readonly setStatus: (status: MessageStatus) => Promise<void>;
  readonly suppress: (recipient: number) => Promise<void>;
  /** Gives a recipient a name with which a personalised text to him has three segments. */
  readonly lengthen: (recipient: number) => Promise<void>;
  /** Carries out an order of the message's workflow to plan it that was given at this campaign time. */
  readonly plan: (at: number) => Promise<MessagePlan>;
  readonly setExpiry: (at: number) => Promise<void>;
  readonly setSpendLimit: (texts: number) => Promise<void>;
  /** Null takes the campaign's budget away. */
  readonly setBudget: (texts: number | null) => Promise<void>;
  readonly disableSender: () => Promise<void>;
  /** What the sender may send in a day together with others. */
  readonly setDayCap: (units: number) => Promise<void>;
  /** So many requests have failed one after the other. */
  readonly noteFailures: (failures: number) => Promise<void>;
  readonly noteTaken: () => Promise<void>;
  /** The latest result of a recipient's attempt n, resolved unknowns as `accepted`. */
  readonly resultOf: (recipient: number, attempt: number) => Promise<string | null>;
  /** A status report of the carrier about the post of a lease; resolves with what became of it. */
  readonly report: (
    lease: Lease,
    recipient: number,
    status: 'sent' | 'delivered' | 'undelivered' | 'failed',
    uuid?: string,
  ) => Promise<string>;
  readonly skipOf: (recipient: number) => Promise<string | null>;
  /** How many texts somebody who holds the scope now is told may still be on their way. */
  readonly inFlight: (scope: 'account' | 'campaign' | 'message' | 'sender') => Promise<number>;
  /** Lets so much machine time pass for whoever was lost. */
  readonly letPass: (ms: number) => Promise<void>;
  /** How many texts of one segment the account has been charged for. */
  readonly textsSpent: () => Promise<number>;
}

/** Makes the world of one test. `recipients` are numbered from 1; `isConstant`: all get the same text. */
export type MakeHarness = (recipients: number, isConstant: boolean) => Promise<StoreHarness>;

/** A world, and how a test asks its store. */
export interface StoreRun {
  readonly world: StoreHarness;
  readonly enter: (lane?: number, askedAt?: number) => ReturnType<DispatchStore['enterLane']>;
  readonly open: (fence: number, at?: number, lane?: number, slots?: number) => Promise<LeaseAnswer>;
  /** Works through everybody who is due, and resolves with whom the carrier took. */
  readonly drain: (fence: number, at: number) => Promise<number[]>;
}

/** How many recipients the message of a run has. */
export const RECIPIENTS = 300;
export const HOUR_MS = 3_600_000;

/** Starts a run in a fresh world. */
export async function startRun(make: MakeHarness, isConstant = false): Promise<StoreRun> {
  const world = await make(RECIPIENTS, isConstant);
  const open: StoreRun['open'] = (fence, at = world.noon, lane = 0, slots = 50) =>
    world.store.openLeases(world.lane(lane), fence, at, slots);
  return {
    world,
    enter: (lane = 0, askedAt = world.noon) => world.store.enterLane(world.lane(lane), askedAt),
    open,
    drain: async (fence, at) => {
      const texted: number[] = [];
      for (;;) {
        const answer = await open(fence, at);
        if (answer.kind === 'skipped') continue;
        if (answer.kind !== 'leased') return texted;
        texted.push(...leasedPeople(answer).map((person) => person.recipient));
        for (const lease of answer.leases) await world.store.record(lease, results(lease, 'accepted'), at);
      }
    },
  };
}

/** The same result for everybody in a lease, each in a request of his own. */
export function results(lease: Lease, result: AttemptResult['result']): AttemptResult[] {
  return lease.recipients.map((person, request) => ({
    recipient: person.recipient,
    attempt: person.attempt,
    request,
    result,
    cause: null,
    carrierUuid: result === 'accepted' ? `uuid-${person.recipient}` : null,
    segments: person.segments,
    costMicroUsd: person.costMicroUsd,
  }));
}

import type { CircuitState } from '../domain/dispatch/circuit.ts';
import type { Lease, LeasedRecipient } from '../domain/dispatch/dispatch-store.ts';
import type { MemoryLedger } from '../domain/dispatch/memory-ledger.ts';
import { isQuiet } from '../domain/quiet-hours.ts';
import type { AttemptKey } from '../domain/dispatch/unknown-store.ts';
import type { Acceptance } from './carrier.ts';
import type { EventLoop } from './event-loop.ts';
import { createHoldsWitness, type HoldsWitness } from './holds-witness.ts';
import { createLimitsWitness, type LimitsWitness } from './limits-witness.ts';
import { createRepeatsWitness, type RepeatsWitness } from './repeats-witness.ts';
import type { Scenario } from './scenario.ts';
import type { CampaignClock } from './world.ts';
import { requestsOf } from '../domain/dispatch/lease-parts.ts';

/** One run of a lane on a worker. */
export interface LaneWitness {
  readonly messageId: string;
  readonly workerId: string;
  /** What may leave somebody unknown has happened to it. */
  isDisrupted: boolean;
}

/** What the worker that posts has heard. */
export interface Heard {
  /** Of a gate or of an opt-out, so that its memory forbids the post. */
  readonly knowsBetter: boolean;
  /** The last end, in machine time, of a pause of the carrier. */
  readonly pausedUntil: number;
}

/** Sees what really happens, and finds fault with it at once or remembers it for the end. */
export interface Witness
  extends RepeatsWitness, HoldsWitness, Pick<LimitsWitness, 'slowed' | 'failedWhileDown' | 'underWay'> {
  readonly violations: string[];
  readonly blame: (invariant: string, what: string) => void;
  /** Something that may leave people unknown has happened to a process. */
  readonly disrupted: (processId: string) => void;
  readonly began: (run: LaneWitness) => void;
  readonly gateClosed: (scope: string) => void;
  readonly suppressed: (number: string) => void;
  /** The owner has said stop or go; go counts from when it was ordered, whenever it takes effect. */
  readonly ownerSaid: (campaignId: string, word: 'stop' | 'go') => void;
  /** A message is set going, from one instant of campaign time to another; null is without end. */
  readonly setGoing: (
    messageId: string,
    times: { readonly dueAt: number; readonly expiresAt: number | null },
  ) => void;
  readonly leased: (leases: readonly Lease[], run: LaneWitness, slots: number, before: CircuitState) => void;
  /** The carrier's list is said not to have an attempt. */
  readonly absent: (key: AttemptKey, carrierLedger: readonly Acceptance[]) => void;
  /** The bytes of a request leave now. */
  readonly posted: (lease: Lease, request: number, people: readonly LeasedRecipient[], heard: Heard) => void;
  /** The answer to a request was one after which nobody can know. */
  readonly ambiguous: (leaseId: number, request: number) => void;
  readonly wasAmbiguous: (leaseId: number, request: number) => boolean;
  readonly runOf: (leaseId: number) => LaneWitness | undefined;
}

/** A witness of one simulation. */
export function createWitness(deps: {
  readonly loop: EventLoop;
  readonly ledger: MemoryLedger;
  readonly clock: CampaignClock;
  readonly scenario: Scenario;
}): Witness {
  const { loop, ledger, clock, scenario } = deps;
  const violations: string[] = [];
  const closedAt = new Map<string, number>();
  const suppressedAt = new Map<string, number>();
  const leases = new Map<number, { readonly step: number; readonly run: LaneWitness }>();
  const ambiguous = new Set<string>();
  const stoppedAt = new Map<string, number>();
  const expiries = new Map<string, number | null>(
    [...ledger.messages.values()].map(({ id, expiresAt }) => [id, expiresAt]),
  );
  const dues = new Map<string, number>();
  const runs: LaneWitness[] = [];

  const blame = (invariant: string, what: string): void => {
    violations.push(`${invariant}: ${what} (at ${(loop.now() / 1_000).toFixed(3)} s)`);
  };

  const repeats = createRepeatsWitness({ ledger, clock, scenario, blame });

  const messageOfLease = (lease: Lease) =>
    [...ledger.messages.values()].find((one) => one.key === lease.messageKey);

  const checkHolds = (lease: Lease, people: readonly LeasedRecipient[]): void => {
    const step = leases.get(lease.id)?.step ?? 0;
    for (const scope of lease.scopes) {
      if ((ledger.gates.get(scope) ?? 0) > 0 && step > (closedAt.get(scope) ?? 0)) {
        blame('I4', `lease ${lease.id} was made after a hold on ${scope} and is posted`);
      }
      if (step > (stoppedAt.get(scope) ?? Number.POSITIVE_INFINITY)) {
        blame('I4', `lease ${lease.id} was made and is posted although the owner's last word was to stop`);
      }
    }
    for (const person of people) {
      const since = suppressedAt.get(person.number);
      if (since !== undefined && ledger.suppressed.has(person.number) && step > since) {
        blame('I4', `recipient ${person.recipient} was leased and posted after his opt-out`);
      }
    }
  };

  const checkWindow = (lease: Lease): void => {
    const at = clock.now();
    const latest = clock.latest();
    const { quietHours, timeZone } = ledger;
    if (isQuiet(at, quietHours, timeZone) && (latest === at || isQuiet(latest, quietHours, timeZone))) {
      blame('I4', `lease ${lease.id} is posted in quiet hours`);
    }
    const expiresAt = expiries.get(messageOfLease(lease)?.id ?? '') ?? null;
    if (expiresAt !== null && at >= expiresAt) blame('I4', `lease ${lease.id} is posted after it expired`);
  };

  const limits = createLimitsWitness({ ledger, loop, scenario, blame });

  return {
    violations,
    blame,
    disrupted: (processId) => {
      for (const run of runs) if (run.workerId === processId) run.isDisrupted = true;
    },
    began: (run) => {
      runs.push(run);
    },
    gateClosed: (scope) => {
      closedAt.set(scope, loop.step());
    },
    suppressed: (number) => {
      suppressedAt.set(number, loop.step());
    },
    ownerSaid: (campaignId, word) => {
      if (word === 'go') stoppedAt.delete(campaignId);
      else if (!stoppedAt.has(campaignId)) stoppedAt.set(campaignId, loop.step());
    },
    ...repeats,
    ...createHoldsWitness(blame),
    slowed: limits.slowed,
    underWay: limits.underWay,
    failedWhileDown: limits.failedWhileDown,
    setGoing: (messageId, { dueAt, expiresAt }) => {
      dues.set(messageId, dueAt);
      expiries.set(messageId, expiresAt);
    },
    leased: (opened, run, slots, before) => {
      const requests = opened.reduce((sum, lease) => sum + requestsOf(lease).length, 0);
      if (requests > slots) blame('I6', `${requests} requests are leased with ${slots} slots free`);
      for (const lease of opened) {
        leases.set(lease.id, { step: loop.step(), run });
        if (lease.recipients.length > ledger.leaseWidthMax) blame('I6', `lease ${lease.id} is too wide`);
        if (clock.latest() < (dues.get(messageOfLease(lease)?.id ?? '') ?? 0))
          blame('I4', `lease ${lease.id} is made before its message is due`);
        repeats.check(lease);
        limits.checkLease(lease, before);
      }
    },
    absent: (key, carrierLedger) => {
      const message = [...ledger.messages.values()].find((one) => one.key === key.messageKey);
      const attempts = message?.entries.get(key.recipient)?.attempts ?? [];
      const known = attempts.find((one) => one.attempt === key.attempt);
      const number = ledger.leases
        .get(known?.leaseId ?? 0)
        ?.people.find((one) => one.recipient === key.recipient)?.number;
      if (known?.doubt?.state === 'superseded') return;
      if (carrierLedger.some((one) => one.leaseId === known?.leaseId && one.number === number)) {
        blame('I3', `recipient ${key.recipient} of ${message?.id ?? ''} is called absent and was accepted`);
      }
      repeats.foundAbsent(`${message?.id ?? ''} ${number ?? ''}`);
    },
    posted: (lease, request, people, { knowsBetter, pausedUntil }) => {
      checkHolds(lease, people);
      if (loop.now() < pausedUntil - 1)
        blame(
          'pace',
          `lease ${lease.id}, request ${request} is posted in a pause that its worker has heard of`,
        );
      if (knowsBetter)
        blame('I4', `lease ${lease.id}, request ${request} is posted though its worker knows better`);
      checkWindow(lease);
      limits.checkPost(lease, people, leases.get(lease.id)?.step ?? 0);
    },
    ambiguous: (leaseId, request) => {
      ambiguous.add(`${leaseId}/${request}`);
    },
    wasAmbiguous: (leaseId, request) => ambiguous.has(`${leaseId}/${request}`),
    runOf: (leaseId) => leases.get(leaseId)?.run,
  };
}

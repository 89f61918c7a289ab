import { MAY_BE_GIVEN_BACK_MS, RECLAIM_DELAY_MS } from './pace.ts';
import { isQuiet, nextPermitted, type QuietHours, quietFrom } from '../quiet-hours.ts';
import type {
  AttemptResult,
  DispatchStore,
  LaneRef,
  Lease,
  LeaseAnswer,
  LeasedRecipient,
  SuspendCause,
} from './dispatch-store.ts';

/** A recipient of the world that the memory store keeps. */
export interface MemoryRecipient {
  readonly recipient: number;
  readonly number: string;
  readonly text: string;
}

/** One message and everything around it. Tests and the simulator change it as they like between calls. */
export interface MemoryWorld {
  readonly accountId: string;
  readonly campaignId: string;
  readonly messageId: string;
  readonly recipients: readonly MemoryRecipient[];
  timeZone: string;
  quietHours: QuietHours;
  expiresAt: number | null;
  spendLimitMicroUsd: number | null;
  budgetMicroUsd: number | null;
  costMicroUsd: number;
  /** Scopes whose gate is closed. */
  readonly closedGates: Set<string>;
  readonly suppressedNumbers: Set<string>;
  senderIsDisabled: boolean;
  /** Machine time in milliseconds, for what a 429 slows down. */
  readonly machineNow: () => number;
}

/** What the store knows of one recipient. */
export interface MemoryEntry {
  attempts: AttemptResult[];
  /** Why he is not texted. */
  skip: string | null;
  /** An unknown attempt that turned out accepted. */
  resolved: boolean;
}

interface Wave {
  readonly members: { readonly recipient: number; readonly attempt: number }[];
  readonly dueAt: number | null;
  next: number;
}

interface OpenLease {
  readonly lane: number;
  readonly people: readonly LeasedRecipient[];
  readonly costMicroUsd: number;
  /** Machine time. */
  readonly openedAt: number;
}

const WIDTH_MAX = 128;

/** The ledger in memory: the same contract as PostgreSQL's, for the simulator and the contract's tests. */
export function createMemoryDispatchStore(world: MemoryWorld): DispatchStore & {
  readonly entries: ReadonlyMap<number, MemoryEntry>;
  readonly spentMicroUsd: () => number;
} {
  const entries = new Map<number, MemoryEntry>();
  const fences = new Map<number, number>();
  const open = new Map<number, OpenLease>();
  const waves: Wave[] = [
    { members: world.recipients.map(({ recipient }) => ({ recipient, attempt: 1 })), dueAt: null, next: 0 },
  ];
  const people = new Map(world.recipients.map((one) => [one.recipient, one]));
  // A bulk request takes one slot whatever its width.
  const isConstant = world.recipients.every((person) => person.text === world.recipients[0]?.text);
  let leaseId = 0;
  let spent = 0;
  let slowedUntil = 0;
  const entryOf = (recipient: number): MemoryEntry => {
    const known = entries.get(recipient);
    if (known !== undefined) return known;
    const fresh: MemoryEntry = { attempts: [], skip: null, resolved: false };
    entries.set(recipient, fresh);
    return fresh;
  };

  const refusal = (
    lane: LaneRef,
    fence: number,
    at: number,
  ): Exclude<LeaseAnswer, { kind: 'leased' }> | null => {
    if (fences.get(lane.lane) !== fence) return { kind: 'fenced' };
    if (scopesOf(world).some((scope) => world.closedGates.has(scope))) return { kind: 'held' };
    if (world.senderIsDisabled) return { kind: 'suspend', cause: 'sender_disabled' };
    if (isQuiet(at, world.quietHours, world.timeZone)) {
      return { kind: 'closed', opensAt: nextPermitted(at, world.quietHours, world.timeZone) };
    }
    if (world.expiresAt !== null && at >= world.expiresAt) return { kind: 'expired' };
    const delayMs = slowedUntil - world.machineNow();
    return delayMs > 0 ? { kind: 'wait', delayMs } : null;
  };

  const takeRange = (wave: Wave, width: number): { people: LeasedRecipient[]; skipped: number } => {
    const leased: LeasedRecipient[] = [];
    let skipped = 0;
    const limit = Math.min(
      world.spendLimitMicroUsd ?? Number.POSITIVE_INFINITY,
      world.budgetMicroUsd ?? Number.POSITIVE_INFINITY,
    );
    while (wave.next < wave.members.length && leased.length + skipped < width) {
      const member = wave.members[wave.next];
      const person = member === undefined ? undefined : people.get(member.recipient);
      if (member === undefined || person === undefined)
        throw new Error('A wave names somebody who is not there.');
      if (world.suppressedNumbers.has(person.number)) {
        entryOf(member.recipient).skip = 'opt_out';
        skipped += 1;
      } else {
        if (spent + world.costMicroUsd > limit) break;
        spent += world.costMicroUsd;
        leased.push({
          ...person,
          attempt: member.attempt,
          numberHash: person.number,
          segments: 1,
          costMicroUsd: world.costMicroUsd,
        });
      }
      wave.next += 1;
    }
    return { people: leased, skipped };
  };

  /** The budget is claimed before the account's limit. */
  const moneyCause = (): SuspendCause =>
    spent + world.costMicroUsd > (world.budgetMicroUsd ?? Number.POSITIVE_INFINITY)
      ? 'campaign_budget'
      : 'spend_limit';

  /** Whether what somebody has claimed may still be given back. */
  const isUnderWay = (): boolean =>
    [...open.values()].some((lease) => lease.openedAt > world.machineNow() - MAY_BE_GIVEN_BACK_MS);

  return {
    entries,
    spentMicroUsd: () => spent,

    enterLane: async (lane) => {
      const fence = (fences.get(lane.lane) ?? 0) + 1;
      fences.set(lane.lane, fence);
      let unknown = 0;
      for (const [id, lease] of open) {
        if (lease.lane !== lane.lane) continue;
        open.delete(id);
        for (const person of lease.people) {
          const { attempts } = entryOf(person.recipient);
          if (attempts.some((one) => one.attempt === person.attempt)) continue;
          attempts.push({
            ...person,
            request: 0,
            result: 'unknown',
            cause: 'worker_lost',
            carrierUuid: null,
          });
          unknown += 1;
        }
      }
      return Promise.resolve({ fence, unknown });
    },

    openLease: async (lane, fence, at, slots) => {
      const refused = refusal(lane, fence, at);
      if (refused !== null) return Promise.resolve(refused);
      const wave = waves.find(
        (one) => one.next < one.members.length && (one.dueAt === null || one.dueAt <= at),
      );
      if (wave === undefined) {
        const later = waves.filter((one) => one.next < one.members.length).map((one) => one.dueAt ?? at);
        return { kind: 'exhausted', nextDueAt: later.length === 0 ? null : Math.min(...later) };
      }
      const range = takeRange(wave, isConstant ? WIDTH_MAX : Math.min(WIDTH_MAX, slots));
      if (range.people.length === 0) {
        return range.skipped > 0
          ? { kind: 'skipped', count: range.skipped }
          : isUnderWay()
            ? { kind: 'wait', delayMs: RECLAIM_DELAY_MS }
            : { kind: 'suspend', cause: moneyCause() };
      }
      leaseId += 1;
      open.set(leaseId, {
        lane: lane.lane,
        people: range.people,
        costMicroUsd: world.costMicroUsd,
        openedAt: world.machineNow(),
      });
      return { kind: 'leased', lease: leaseOf(world, lane, fence, leaseId, range.people, at) };
    },

    record: async (lease, results, retryAt) => {
      const deferred: { recipient: number; attempt: number }[] = [];
      for (const result of results) {
        const entry = entryOf(result.recipient);
        const known = entry.attempts.find((one) => one.attempt === result.attempt);
        if (known !== undefined) {
          if (known.result === 'unknown' && result.result === 'accepted') entry.resolved = true;
          continue;
        }
        entry.attempts.push(result);
        if (result.result === 'not_accepted' || result.result === 'rejected') spent -= result.costMicroUsd;
        if (result.result === 'not_accepted')
          deferred.push({ recipient: result.recipient, attempt: result.attempt + 1 });
      }
      if (deferred.length > 0) waves.push({ members: deferred, dueAt: retryAt, next: 0 });
      const done = open
        .get(lease.id)
        ?.people.every((person) =>
          entryOf(person.recipient).attempts.some((one) => one.attempt === person.attempt),
        );
      if (done === true) open.delete(lease.id);
      return Promise.resolve();
    },

    slowDown: (_lease, delayMs) => {
      slowedUntil = Math.max(slowedUntil, world.machineNow() + delayMs);
      return Promise.resolve();
    },
  };
}

function scopesOf(world: MemoryWorld): string[] {
  return ['installation', world.accountId, world.campaignId, world.messageId, 'sender'];
}

function leaseOf(
  world: MemoryWorld,
  lane: LaneRef,
  fence: number,
  id: number,
  recipients: readonly LeasedRecipient[],
  at: number,
): Lease {
  const closesAt = quietFrom(at, world.quietHours, world.timeZone);
  const [first, second] = recipients;
  return {
    id,
    month: '2026-01-01',
    accountId: world.accountId,
    messageKey: 1,
    lane: lane.lane,
    fence,
    carrierAccountId: 'carrier',
    senderId: 'sender',
    from: '12345',
    kind: 'sms',
    mediaUrls: [],
    scopes: scopesOf(world),
    recipients,
    isBulk: second !== undefined && recipients.every((person) => person.text === first?.text),
    isProbe: false,
    segmentIntervalMs: 0,
    requestIntervalMs: 0,
    startDelayMs: 0,
    closesAt: world.expiresAt === null ? closesAt : Math.min(world.expiresAt, closesAt ?? world.expiresAt),
  };
}

import type { CrashHook } from './crash-points.ts';
import type { DispatchStore, LaneRef, Lease, LeaseAnswer, SuspendCause } from './dispatch-store.ts';
import { type PostDeps, postLease } from './post-lease.ts';
import { createRecorder, type Tally } from './recorder.ts';
import type { Slots } from './slots.ts';

/** Everything a lane reaches the world through; the simulator passes its own. */
export interface LaneDeps extends Omit<PostDeps, 'campaignNow' | 'signal'> {
  readonly store: DispatchStore;
  readonly slots: Slots;
  readonly crash: CrashHook;
}

/** How one run of a lane is bounded and what clock it follows. */
export interface LaneRun {
  readonly lane: LaneRef;
  /** Campaign time now; a lane reads it again at each lease and before each post. */
  readonly campaignNow: () => number;
  /** Machine milliseconds after which the lane asks for no further lease. */
  readonly budgetMs: number;
  readonly signal: AbortSignal;
}

/** Why a lane ended. `waitMs` is machine time, `opensAt` and `nextDueAt` are campaign time. */
export type LaneEnd =
  | { readonly kind: 'budget' | 'held' | 'expired' | 'fenced' | 'cancelled' }
  | { readonly kind: 'wait'; readonly waitMs: number }
  | { readonly kind: 'closed'; readonly opensAt: number }
  | { readonly kind: 'exhausted'; readonly nextDueAt: number | null }
  | { readonly kind: 'suspend'; readonly cause: SuspendCause };

/** What a run of a lane did. */
export interface LaneReport {
  readonly end: LaneEnd;
  readonly tally: Tally;
}

/** A lane that would wait longer than this gives its slot back and says when to come again. */
const WAIT_IN_LANE_MS_MAX = 10_000;
/** The most slots that one lease takes. */
const LEASE_SLOTS_MAX = 128;

/**
 * Works through leases of a message until there is nothing to do, it may not go on, or its time is up.
 * It has one attempt: whoever it leaves open when it dies becomes unknown when the lane is entered again.
 */
export async function runLane(deps: LaneDeps, run: LaneRun): Promise<LaneReport> {
  const { fence } = await deps.store.enterLane(run.lane);
  deps.crash('lane.fenced');
  const tally: Tally = { accepted: 0, rejected: 0, not_accepted: 0, unknown: 0, skipped: 0 };
  const underWay = new Set<Promise<void>>();
  const startedAt = deps.machine.now();
  let end: LaneEnd | null = null;

  while (end === null) {
    if (run.signal.aborted) end = { kind: 'cancelled' };
    else if (deps.machine.now() - startedAt >= run.budgetMs) end = { kind: 'budget' };
    else end = await workOnce(deps, run, fence, tally, underWay);
  }
  await Promise.all(underWay);
  return { end, tally };
}

/**
 * Takes slots first and leases no more than it took: whoever is leased but not posted when the worker dies is
 * as unknown as who was posted.
 */
async function workOnce(
  deps: LaneDeps,
  run: LaneRun,
  fence: number,
  tally: Tally,
  underWay: Set<Promise<void>>,
): Promise<LaneEnd | null> {
  const slots = await deps.slots.take(LEASE_SLOTS_MAX);
  let isLeased = false;
  let answer: LeaseAnswer;
  try {
    answer = await deps.store.openLease(run.lane, fence, run.campaignNow(), slots);
    isLeased = answer.kind === 'leased';
  } finally {
    if (!isLeased) deps.slots.giveBack(slots);
  }
  if (answer.kind !== 'leased') return handleRefusal(deps, run, answer, tally);
  // Each request gives its slot back when it ends; a bulk request takes one whatever its width.
  deps.slots.giveBack(slots - (answer.lease.isBulk ? 1 : answer.lease.recipients.length));
  return workLease(deps, run, answer.lease, tally, underWay);
}

async function workLease(
  deps: LaneDeps,
  run: LaneRun,
  lease: Lease,
  tally: Tally,
  underWay: Set<Promise<void>>,
): Promise<LaneEnd | null> {
  deps.crash('lease.committed');
  const recorder = createRecorder(deps, lease, tally);
  const posting = postLease({ ...deps, campaignNow: run.campaignNow, signal: run.signal }, lease, recorder);
  // The next lease may begin when the last request of this one has started, not when it was answered.
  const settled = posting.answered.then(() => recorder.finished());
  underWay.add(settled);
  const forget = (): boolean => underWay.delete(settled);
  settled.then(forget, forget);
  const halt = await posting.started;
  if (halt === null) return null;
  await settled;
  if (halt.kind === 'wait' && halt.waitMs <= WAIT_IN_LANE_MS_MAX) {
    await deps.machine.sleep(halt.waitMs, run.signal);
    return null;
  }
  return halt;
}

async function handleRefusal(
  deps: LaneDeps,
  run: LaneRun,
  answer: Exclude<LeaseAnswer, { kind: 'leased' }>,
  tally: Tally,
): Promise<LaneEnd | null> {
  switch (answer.kind) {
    case 'skipped':
      tally.skipped += answer.count;
      return null;
    case 'wait':
      if (answer.delayMs > WAIT_IN_LANE_MS_MAX) return { kind: 'wait', waitMs: answer.delayMs };
      await deps.machine.sleep(answer.delayMs, run.signal);
      return null;
    case 'held':
    case 'expired':
    case 'fenced':
    case 'closed':
    case 'exhausted':
    case 'suspend':
      return answer;
  }
}

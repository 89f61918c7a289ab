import { allEnded } from './all-ended.ts';
import type { CrashHook } from './crash-points.ts';
import type {
  DispatchStore,
  LaneRef,
  Lease,
  LeaseAnswer,
  LeaseRefusal,
  Suspension,
} from './dispatch-store.ts';
import type { Halt, Halting } from './halting.ts';
import { requestsOf } from './lease-parts.ts';
import { LEASE_WIDTH_MAX, precedenceMs } from './pace.ts';
import { type PostDeps, postLease } from './post-lease.ts';
import { createRecorder, type Recorder, type Tally } from './recorder.ts';
import type { Slots } from './slots.ts';

/** Everything a lane reaches the world through; the simulator passes its own. */
export interface LaneDeps extends Omit<PostDeps, 'campaignNow' | 'signal' | 'askedAt'> {
  readonly store: DispatchStore;
  /** For what is limited in some way, and for whatever it is not known of yet. */
  readonly slots: Slots;
  /** For what nothing limits. */
  readonly unlimitedSlots: Slots;
  readonly crash: CrashHook;
}

/** How one run of a lane is bounded and what clock it follows. */
export interface LaneRun {
  readonly lane: LaneRef;
  /** Campaign time at which the run was ordered. */
  readonly askedAt: number;
  /** Campaign time now; a lane reads it again at each lease and before each post. */
  readonly campaignNow: () => number;
  /** Machine milliseconds after which the lane asks for no further lease. */
  readonly budgetMs: number;
  /** Ends what is under way, too. */
  readonly signal: AbortSignal;
  /** The worker is about to stop: what is leased is worked through, and nothing is leased any more. */
  readonly draining: AbortSignal;
}

/** Why a lane ended. `waitMs` is machine time, `opensAt` and `nextDueAt` are campaign time. */
export type LaneEnd =
  | { readonly kind: 'budget' | 'held' | 'expired' | 'fenced' | 'cancelled' }
  | { readonly kind: 'wait'; readonly waitMs: number }
  | { readonly kind: 'closed'; readonly opensAt: number }
  | { readonly kind: 'exhausted'; readonly nextDueAt: number | null }
  | Suspension;

/** What a run of a lane did. */
export interface LaneReport {
  readonly end: LaneEnd;
  readonly tally: Tally;
}

/** A lane that would wait longer than this gives its slot back and says when to come again. */
const WAIT_IN_LANE_MS_MAX = 10_000;

/**
 * So many leases of a lane may wait for their answers and records before it asks for more: texting is faster than
 * writing down, and who is not written down when the worker dies is unknown.
 */
const UNDER_WAY_MAX = 32;

/** A closed gate that only this worker's memory knows of is looked at again a little later. */
const HELD_WAIT_MS = 1_000;

/** A time that is over by this worker's clock and not by the workflow's, which plans by its own, is looked at again, too. */
const CLOCKS_APART_WAIT_MS = 1_000;

/** How long to wait before the message's next lane, in milliseconds of machine time. */
export function waitAfter({ end, tally }: LaneReport): number {
  switch (end.kind) {
    case 'wait':
      return Math.ceil(end.waitMs);
    case 'held':
      return HELD_WAIT_MS;
    case 'closed':
    case 'expired':
      return Object.values(tally).some((people) => people > 0) ? 0 : CLOCKS_APART_WAIT_MS;
    case 'budget':
    case 'cancelled':
    case 'exhausted':
    case 'fenced':
    case 'suspend':
      return 0;
  }
}

/** A run with what ends a lane that only waits. */
interface BoundRun extends LaneRun {
  readonly ending: AbortSignal;
}

/** What a run of a lane keeps in mind between its leases. */
interface LaneState {
  readonly fence: number;
  readonly tally: Tally;
  /** Leases whose requests have not all been answered and recorded. */
  readonly underWay: Set<Promise<void>>;
  /** What an answer demands of the whole lane and has not been obeyed yet; the gravest counts. */
  halt: Halt | null;
  /** Nothing limits what was leased last. */
  isUnlimited: boolean;
  /** Machine time since when it has been told to wait; null once it has leased. */
  waitingSince: number | null;
  /** Something went wrong that leaves somebody open: nothing more is leased or posted. */
  hasFailed: boolean;
}

/**
 * Works through leases of a message until there is nothing to do, it may not go on, or its time is up.
 * It has one attempt: whoever it leaves open when it dies becomes unknown when the lane is entered again.
 */
export async function runLane(deps: LaneDeps, given: LaneRun): Promise<LaneReport> {
  // Once for the whole run: what is made of the worker's signal is kept for as long as the worker lives.
  const run: BoundRun = { ...given, ending: AbortSignal.any([given.signal, given.draining]) };
  const { fence } = await deps.store.enterLane(run.lane, run.askedAt);
  deps.crash('lane.fenced');
  const tally: Tally = { accepted: 0, rejected: 0, not_accepted: 0, unknown: 0, skipped: 0 };
  const state: LaneState = {
    fence,
    tally,
    underWay: new Set(),
    halt: null,
    isUnlimited: false,
    waitingSince: null,
    hasFailed: false,
  };
  const startedAt = deps.machine.now();
  const isOver = (): boolean => run.draining.aborted || deps.machine.now() - startedAt >= run.budgetMs;
  let end: LaneEnd | null = null;

  try {
    while (end === null) {
      if (run.signal.aborted) end = { kind: 'cancelled' };
      // The next run of the lane finds whoever was left open.
      else if (isOver() || state.hasFailed) end = { kind: 'budget' };
      else if (state.halt !== null) end = await obey(deps, run, state, state.halt);
      else end = await workOnce(deps, run, state);
    }
  } finally {
    // Whoever is still open when a lane counts as over is taken for lost, so nothing of it may be under way by then.
    state.hasFailed ||= end === null;
    await Promise.allSettled(state.underWay);
  }
  await allEnded(state.underWay);
  // The last answers come when there is nothing left to lease; a cause to suspend in them must not be lost.
  return { end: state.halt?.kind === 'suspend' ? state.halt : end, tally };
}

/**
 * Takes slots first and leases no more than it took: whoever is leased but not posted when the worker dies is
 * as unknown as who was posted.
 */
async function workOnce(deps: LaneDeps, run: BoundRun, state: LaneState): Promise<LaneEnd | null> {
  if (state.underWay.size >= UNDER_WAY_MAX) {
    await Promise.race(state.underWay).catch(() => undefined);
    return null;
  }
  const pool = state.isUnlimited ? deps.unlimitedSlots : deps.slots;
  const slots = await pool.take(LEASE_WIDTH_MAX);
  if (state.halt !== null || state.hasFailed || run.draining.aborted) {
    pool.giveBack(slots);
    return null;
  }
  const askedAt = deps.machine.now();
  const campaignAt = run.campaignNow();
  let isLeased = false;
  let answer: LeaseAnswer;
  try {
    answer = await deps.store.openLeases(run.lane, state.fence, campaignAt, slots);
    isLeased = answer.kind === 'leased';
  } finally {
    if (!isLeased) pool.giveBack(slots);
  }
  if (answer.kind !== 'leased') return handleRefusal(deps, run, answer, state);
  const { leases } = answer;
  // Each request gives its slot back when it ends.
  pool.giveBack(slots - leases.reduce((sum, lease) => sum + requestsOf(lease).length, 0));
  state.waitingSince = null;
  state.isUnlimited = leases.every((lease) => lease.isUnlimited);
  deps.crash('lease.committed');
  const { campaignNow, signal } = run;
  const posting = { ...deps, slots: pool, campaignNow, signal, askedAt: campaignAt };
  await Promise.all(leases.map((lease) => workLease(posting, lease, askedAt, state)));
  return null;
}

/** Resolves when it is time for the next lease, which need not await the answers. */
async function workLease(deps: PostDeps, lease: Lease, askedAt: number, state: LaneState): Promise<void> {
  const recorder = createRecorder(deps, lease, state.tally);
  const halting: Halting = {
    isHalted: () => state.halt !== null || state.hasFailed,
    because: (halt) => {
      state.halt = graver(state.halt, halt);
    },
  };
  const posting = postLease(deps, lease, askedAt, recorder, halting);
  // What is known is written down also where slowing the sender down has failed.
  const settled = settle(posting.answered, recorder);
  state.underWay.add(settled);
  settled.then(
    () => state.underWay.delete(settled),
    () => {
      state.hasFailed = true;
    },
  );
  await posting.nearlyStarted;
}

async function settle(answered: Promise<void>, recorder: Recorder): Promise<void> {
  try {
    await answered;
  } finally {
    await recorder.finished();
  }
}

const GRAVITY = { wait: 0, held: 1, cancelled: 2, suspend: 3 } as const;

function graver(one: Halt | null, other: Halt): Halt {
  if (one === null) return other;
  if (one.kind === 'wait' && other.kind === 'wait') return one.waitMs >= other.waitMs ? one : other;
  return GRAVITY[other.kind] > GRAVITY[one.kind] ? other : one;
}

/** Awaits what is under way, then waits in the lane if that is short, else ends it. */
async function obey(deps: LaneDeps, run: BoundRun, state: LaneState, halt: Halt): Promise<LaneEnd | null> {
  await Promise.allSettled(state.underWay);
  const gravest = graver(state.halt, halt);
  state.halt = gravest.kind === 'suspend' ? gravest : null;
  if (gravest.kind !== 'wait' || gravest.waitMs > WAIT_IN_LANE_MS_MAX) return gravest;
  await pause(deps, run, gravest.waitMs);
  return null;
}

/** A lane that only waits need not keep its worker from stopping. */
async function pause(deps: LaneDeps, run: BoundRun, ms: number): Promise<void> {
  await deps.machine.sleep(ms, run.ending);
}

async function handleRefusal(
  deps: LaneDeps,
  run: BoundRun,
  answer: LeaseRefusal,
  state: LaneState,
): Promise<LaneEnd | null> {
  switch (answer.kind) {
    case 'skipped':
      state.tally.skipped += answer.count;
      return null;
    case 'wait': {
      if (answer.delayMs > WAIT_IN_LANE_MS_MAX) return { kind: 'wait', waitMs: answer.delayMs };
      const now = deps.machine.now();
      state.waitingSince ??= now;
      await pause(deps, run, answer.delayMs + precedenceMs(now - state.waitingSince));
      return null;
    }
    case 'held':
    case 'expired':
    case 'fenced':
    case 'closed':
    case 'exhausted':
    case 'suspend':
      return answer;
  }
}

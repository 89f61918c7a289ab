import { allEnded } from './all-ended.ts';
import { awaitTurn, dueTimes, type TurnDeps, type Turns } from './await-turn.ts';
import type { CrashHook } from './crash-points.ts';
import type { AttemptResult, DispatchStore, Lease, LeasedRecipient } from './dispatch-store.ts';
import { type Halt, HALT_MS, type Halting } from './halting.ts';
import { requestsOf } from './lease-parts.ts';
import { LEASE_AGE_MS_MAX } from './pace.ts';
import type { Recorder } from './recorder.ts';
import type { Slots } from './slots.ts';

/** What a carrier's client answers; see `carrier/carrier.ts`, whose answers have this shape. */
export type PostAnswer =
  | {
      readonly kind: 'accepted';
      readonly uuids: readonly string[];
      readonly invalidNumbers: readonly string[];
    }
  | { readonly kind: 'rejected'; readonly httpStatus: number }
  | {
      readonly kind: 'not_accepted';
      readonly cause: 'rate_limited' | 'not_written' | 'credit' | 'credentials';
      readonly retryAfterMs: number | null;
    }
  | { readonly kind: 'unknown'; readonly cause: string };

/** Whether a post may go out at this very moment, from memory that follows the database. */
export type PostPermission = 'open' | 'held' | 'suppressed' | 'circuit_open' | 'carrier_paused';

/** What posting a lease reaches the world through. */
export interface PostDeps extends TurnDeps {
  readonly store: DispatchStore;
  /** Taken for the lease; each request gives its own back. */
  readonly slots: Slots;
  /** Resolves once the answers that have come in meanwhile have been dealt with. */
  readonly turn: () => Promise<void>;
  readonly crash: CrashHook;
  /** One POST at most: never retries. Never rejects. */
  readonly post: (lease: Lease, request: number, people: readonly LeasedRecipient[]) => Promise<PostAnswer>;
  /** `leasedAt` is the machine time at which the lease was asked for. */
  readonly permission: (lease: Lease, person: LeasedRecipient, leasedAt: number) => PostPermission;
  readonly campaignNow: () => number;
  /** Campaign time at which the lease was asked for. */
  readonly askedAt: number;
}

/** The next lease is asked for so long before the last post of this one is due, so that no pace is lost meanwhile. */
const LEASE_AHEAD_MS = 500;
/** So many posts are begun in a row; other lanes wait for answers of the database meanwhile. */
const POSTS_A_TURN = 8;
const NOT_WRITTEN_DELAY_MS = 10_000;

/**
 * Posts a lease, each recipient in at most one request, at the pace it was granted.
 * `nearlyStarted` resolves shortly before the last request is due or when the lease was halted, which is the time to ask
 * for the next one; `answered` when all requests have ended.
 * `halting` is told at once, before the request gives its slot back, why the lane may not simply go on.
 */
export function postLease(
  deps: PostDeps,
  lease: Lease,
  leasedAt: number,
  recorder: Recorder,
  halting: Halting,
): { readonly nearlyStarted: Promise<void>; readonly answered: Promise<void> } {
  const underWay: Promise<void>[] = [];
  let isNearlyStarted = (): void => undefined;
  const nearly = new Promise<void>((resolve) => {
    isNearlyStarted = resolve;
  });

  const start = async (): Promise<void> => {
    const requests = requestsOf(lease);
    const turns: Turns = {
      requests,
      next: 0,
      dueAt: dueTimes(lease, requests, deps.machine.now() + lease.startDelayMs),
      leasedAt,
    };
    for (const [request, people] of requests.entries()) {
      turns.next = request;
      if (request > 0 && request % POSTS_A_TURN === 0) await deps.turn();
      if ((turns.dueAt.at(-1) ?? 0) - deps.machine.now() <= LEASE_AHEAD_MS) isNearlyStarted();
      const hasRoom = await awaitTurn(deps, lease, turns, halting);
      const allowed = halting.isHalted()
        ? halt(deps, people, request, recorder)
        : permitted(deps, lease, people, request, leasedAt, recorder, halting);
      if (allowed.length === 0) {
        if (hasRoom) deps.atOnce.giveBack(lease.carrierAccountId);
        deps.slots.giveBack(1);
      } else {
        const posting = postOnce(deps, lease, request, allowed, recorder, halting);
        // It surfaces in `answered`; until the last request has begun nobody listens, and it must not end the worker.
        posting.catch(() => undefined);
        underWay.push(posting);
      }
    }
  };
  const started = start();
  const answered = endedAfter(started, underWay);
  return { nearlyStarted: Promise.race([nearly, started]), answered };
}

/** Once a lease has begun its requests and each has ended, whatever has failed of it. */
async function endedAfter(started: Promise<void>, underWay: readonly Promise<void>[]): Promise<void> {
  try {
    await started;
  } finally {
    await allEnded(underWay);
  }
}

/** What comes after the reason to halt is recorded as not posted. */
function halt(
  deps: PostDeps,
  people: readonly LeasedRecipient[],
  request: number,
  recorder: Recorder,
): readonly LeasedRecipient[] {
  recorder.add(
    people.map((person) => notPosted(person, request, 'halted')),
    deps.campaignNow(),
  );
  return [];
}

/** The last look before the bytes go out. Whoever may not be texted now is recorded as not posted. */
function permitted(
  deps: PostDeps,
  lease: Lease,
  people: readonly LeasedRecipient[],
  request: number,
  leasedAt: number,
  recorder: Recorder,
  halting: Halting,
): readonly LeasedRecipient[] {
  const now = deps.campaignNow();
  const cause = refusalOfAll(deps, lease, leasedAt, now);
  if (cause !== null) {
    if (cause === 'lane_ended') halting.because({ kind: 'cancelled' });
    recorder.add(
      people.map((person) => notPosted(person, request, cause)),
      now,
    );
    return [];
  }
  const allowed: LeasedRecipient[] = [];
  for (const person of people) {
    const permission = deps.permission(lease, person, leasedAt);
    if (permission === 'open') {
      allowed.push(person);
      continue;
    }
    if (permission === 'held') halting.because({ kind: 'held' });
    // The next lease is told for how long.
    if (permission === 'circuit_open' || permission === 'carrier_paused')
      halting.because({ kind: 'wait', waitMs: HALT_MS });
    recorder.add([notPosted(person, request, permission)], now);
  }
  return allowed;
}

/** Why nobody of a lease may be texted any more, whoever he is. */
function refusalOfAll(
  deps: PostDeps,
  lease: Lease,
  leasedAt: number,
  now: number,
): 'lane_ended' | 'lease_too_old' | 'window_closed' | null {
  if (deps.signal.aborted) return 'lane_ended';
  if (deps.machine.now() - leasedAt > LEASE_AGE_MS_MAX) return 'lease_too_old';
  if (lease.closesAt !== null && now >= lease.closesAt) return 'window_closed';
  // While a whole machine sleeps its monotonic clock may stand still; the campaign's goes on.
  return now - deps.askedAt > LEASE_AGE_MS_MAX ? 'lease_too_old' : null;
}

async function postOnce(
  deps: PostDeps,
  lease: Lease,
  request: number,
  people: readonly LeasedRecipient[],
  recorder: Recorder,
  halting: Halting,
): Promise<void> {
  try {
    deps.crash('post.before');
    const answer = await deps.post(lease, request, people);
    deps.crash('post.answered');
    let retryAt = deps.campaignNow();
    if (answer.kind === 'not_accepted') {
      const delayMs =
        answer.retryAfterMs ?? (answer.cause === 'not_written' ? NOT_WRITTEN_DELAY_MS : HALT_MS);
      retryAt += delayMs;
      halting.because(haltOf(answer.cause, delayMs, people));
      recorder.add(resultsOf(answer, people, request), retryAt);
      if (answer.cause === 'rate_limited') await deps.store.slowDown(lease, delayMs);
      return;
    }
    recorder.add(resultsOf(answer, people, request), retryAt);
  } finally {
    deps.atOnce.giveBack(lease.carrierAccountId);
    deps.slots.giveBack(1);
  }
}

function haltOf(
  cause: 'rate_limited' | 'not_written' | 'credit' | 'credentials',
  waitMs: number,
  people: readonly LeasedRecipient[],
): Halt {
  if (cause === 'credit') {
    const textMicroUsd = Math.max(...people.map((person) => person.costMicroUsd));
    return { kind: 'suspend', cause, textMicroUsd };
  }
  if (cause === 'credentials') return { kind: 'suspend', cause };
  return { kind: 'wait', waitMs };
}

function notPosted(person: LeasedRecipient, request: number, cause: string): AttemptResult {
  return resultOf(person, request, 'not_accepted', cause, null);
}

/** One answer as results of its recipients. Uuids of a bulk request are never mapped by position. */
function resultsOf(answer: PostAnswer, people: readonly LeasedRecipient[], request: number): AttemptResult[] {
  switch (answer.kind) {
    case 'accepted': {
      const invalid = new Set(answer.invalidNumbers);
      const uuid = people.length === 1 ? (answer.uuids[0] ?? null) : null;
      return people.map((person) =>
        invalid.has(person.number)
          ? resultOf(person, request, 'rejected', 'invalid_number', null)
          : resultOf(person, request, 'accepted', null, uuid),
      );
    }
    case 'rejected':
      return people.map((person) => resultOf(person, request, 'rejected', `http_${answer.httpStatus}`, null));
    case 'not_accepted':
      return people.map((person) => resultOf(person, request, 'not_accepted', answer.cause, null));
    case 'unknown':
      return people.map((person) => resultOf(person, request, 'unknown', answer.cause, null));
  }
}

function resultOf(
  person: LeasedRecipient,
  request: number,
  result: AttemptResult['result'],
  cause: string | null,
  carrierUuid: string | null,
): AttemptResult {
  return {
    recipient: person.recipient,
    attempt: person.attempt,
    request,
    result,
    cause,
    carrierUuid,
    segments: person.segments,
    costMicroUsd: person.costMicroUsd,
  };
}

import type { AtOnce } from './at-once.ts';
import type { DispatchStore, Lease, LeasedRecipient } from './dispatch-store.ts';
import { HALT_MS, type Halting } from './halting.ts';
import { paceOf, unitsOf } from './lease-parts.ts';
import type { MachineClock } from './machine-clock.ts';
import { LEASE_AGE_MS_MAX } from './pace.ts';

/** What waiting for a turn reaches the world through. */
export interface TurnDeps {
  readonly store: Pick<DispatchStore, 'grantAgain'>;
  /** Taken for each request just before the last look. */
  readonly atOnce: AtOnce;
  readonly machine: MachineClock;
  readonly signal: AbortSignal;
}

/** When the requests of a lease are due, in machine time, and when it was asked for. */
export interface Turns {
  readonly requests: readonly (readonly LeasedRecipient[])[];
  /** The request whose turn is next. */
  next: number;
  dueAt: readonly number[];
  readonly leasedAt: number;
}

/**
 * How far behind its pace a lease may be and still make up for it, in machine time. What is made up for and what the
 * network is late have to stay within what REQUEST_LIMIT_USED keeps free of the carrier's window: 555 ms of its 5 s.
 */
export const CATCH_UP_MS_MAX = 150;
/** Room at the carrier is kept no longer than this for a request that is not due yet, in machine time. */
const ROOM_KEPT_MS_MAX = 2_000;

/**
 * Waits until the next request is due and there is room for it at the carrier, and resolves with whether there is.
 * Turns that were missed by much, since room was long in coming or the process stood still, are granted anew: others have
 * been granted what comes now, and together they would pass the limit.
 */
export async function awaitTurn(
  deps: TurnDeps,
  lease: Lease,
  turns: Turns,
  halting: Halting,
): Promise<boolean> {
  const { machine, atOnce, signal } = deps;
  const isPaced = lease.requestIntervalMs > 0 || lease.segmentIntervalMs > 0;
  const isOld = (): boolean => machine.now() - turns.leasedAt > LEASE_AGE_MS_MAX;
  const isOver = (): boolean => halting.isHalted() || isOld();
  const untilDueMs = (): number => (turns.dueAt[turns.next] ?? 0) - machine.now();
  for (;;) {
    if (untilDueMs() > 1 && !halting.isHalted()) await machine.sleep(untilDueMs(), signal);
    if (halting.isHalted() || !(await atOnce.take(lease.carrierAccountId, signal, isOver))) return false;
    // One that has grown old is not posted anyway.
    if (!isPaced || untilDueMs() >= -CATCH_UP_MS_MAX || isOver()) return true;
    await grantMissed(deps, lease, turns, halting);
    if (untilDueMs() <= ROOM_KEPT_MS_MAX) {
      if (untilDueMs() > 1 && !halting.isHalted()) await machine.sleep(untilDueMs(), signal);
      return true;
    }
    // It is of more use to others meanwhile.
    atOnce.giveBack(lease.carrierAccountId);
  }
}

/** One after the other at the pace of the lease. */
export function dueTimes(
  lease: Lease,
  requests: readonly (readonly LeasedRecipient[])[],
  firstAt: number,
): readonly number[] {
  let at = firstAt;
  return requests.map((people) => {
    const dueAt = at;
    at += paceOf(lease, people);
    return dueAt;
  });
}

/** The turns that are still ahead are used first; as many as were missed are claimed behind what others have. */
async function grantMissed(
  { store, machine }: TurnDeps,
  lease: Lease,
  turns: Turns,
  halting: Halting,
): Promise<void> {
  const { requests, next } = turns;
  const ahead = turns.dueAt.slice(next).filter((dueAt) => dueAt >= machine.now() - CATCH_UP_MS_MAX);
  const behind = requests.slice(next + ahead.length);
  try {
    const units = unitsOf(lease, behind.flat());
    const delayMs = await store.grantAgain(lease, { requests: behind.length, units });
    const anew = dueTimes(lease, behind, machine.now() + delayMs);
    turns.dueAt = [...turns.dueAt.slice(0, next), ...ahead, ...anew];
  } catch {
    // Nothing of what is left was posted, and a failure here must not make it look as if it had been.
    halting.because({ kind: 'wait', waitMs: HALT_MS });
  }
}

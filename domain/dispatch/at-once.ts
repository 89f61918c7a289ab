import type { MachineClock } from './machine-clock.ts';
import type { PermitStore } from './permits.ts';

/** Room for requests under way at a carrier account, over all workers: the carrier refuses more than so many at once. */
export interface AtOnce {
  /**
   * Waits for room for one request. Resolves with false, and without room, once the signal aborts, or soon after `isOver`
   * has become true.
   */
  readonly take: (carrierAccountId: string, signal: AbortSignal, isOver?: () => boolean) => Promise<boolean>;
  readonly giveBack: (carrierAccountId: string) => void;
}

/** For a carrier that takes any number at once. */
export const UNLIMITED: AtOnce = { take: () => Promise.resolve(true), giveBack: () => undefined };

/** What a worker needs to keep within what carriers take at once. */
export interface AtOnceDeps {
  readonly permits: PermitStore;
  readonly machine: MachineClock;
  /** The most that this worker has under way at one carrier account. */
  readonly wanted: number;
  readonly onError: (error: unknown) => void;
}

/** What this worker holds of one carrier account. */
interface Held {
  permits: number;
  /** Machine time from which on nothing may begin any more: its row could be gone before the request is over. */
  validUntil: number;
  inUse: number;
  usedAt: number;
  readonly waiting: Set<() => void>;
  /** The renewal under way, or the last one. */
  renewing: Promise<void>;
}

/** Longer than the time for which permits are used, by what a request may take until it is given up on. */
export const PERMIT_TTL_MS = 30_000;
export const REQUEST_MS_MAX = 20_000;
const RENEW_INTERVAL_MS = 2_000;
const IDLE_MS_MAX = 15_000;

/**
 * Room at carriers by permits that are renewed. A worker that is killed leaves its permits taken until its requests are
 * over; one that stood still, or has lost the database, begins nothing until it has renewed them.
 */
export function createAtOnce(deps: AtOnceDeps): AtOnce & { readonly close: () => Promise<void> } {
  const { permits, machine } = deps;
  const heldOf = new Map<string, Held>();
  const closing = new AbortController();

  const renew = async (carrierAccountId: string, held: Held): Promise<void> => {
    if (held.inUse === 0 && held.waiting.size === 0 && machine.now() - held.usedAt > IDLE_MS_MAX) {
      held.validUntil = Number.NEGATIVE_INFINITY;
      await permits.release(carrierAccountId);
      // Known until then, so that whoever comes meanwhile waits: what is claimed for him must not be what this gives back.
      if (held.waiting.size === 0) {
        heldOf.delete(carrierAccountId);
        return;
      }
    }
    const askedAt = machine.now();
    const { inUse } = held;
    // What is more than that may be somebody else's as soon as this is asked, answered or not.
    held.permits = Math.min(held.permits, inUse);
    held.permits = await permits.claim(carrierAccountId, {
      wanted: deps.wanted,
      inUse,
      ttlMs: PERMIT_TTL_MS,
    });
    held.validUntil = askedAt + PERMIT_TTL_MS - REQUEST_MS_MAX;
  };

  const keepRenewing = async (carrierAccountId: string, held: Held): Promise<void> => {
    while (!closing.signal.aborted && heldOf.get(carrierAccountId) === held) {
      held.renewing = renew(carrierAccountId, held)
        .catch(deps.onError)
        .finally(() => wakeAll(held));
      await held.renewing;
      await machine.sleep(RENEW_INTERVAL_MS, closing.signal);
    }
  };

  const holdFor = (carrierAccountId: string): Held => {
    const known = heldOf.get(carrierAccountId);
    if (known !== undefined) return known;
    const held: Held = {
      permits: 0,
      validUntil: Number.NEGATIVE_INFINITY,
      inUse: 0,
      usedAt: machine.now(),
      waiting: new Set(),
      renewing: Promise.resolve(),
    };
    heldOf.set(carrierAccountId, held);
    // Its failures have been told of, and what else it does cannot fail.
    void keepRenewing(carrierAccountId, held);
    return held;
  };

  const tryTake = (held: Held): boolean => {
    if (machine.now() >= held.validUntil || held.inUse >= held.permits) return false;
    held.inUse += 1;
    held.usedAt = machine.now();
    return true;
  };

  return {
    take: async (carrierAccountId, signal, isOver = () => false) => {
      // Whoever waits looks again at each renewal, whatever has become of the permits.
      for (;;) {
        if (signal.aborted || isOver()) {
          // It may have been told of room that is somebody else's then.
          wakeNext(heldOf.get(carrierAccountId));
          return false;
        }
        const held = holdFor(carrierAccountId);
        if (tryTake(held)) return true;
        await change(held, signal);
      }
    },
    giveBack: (carrierAccountId) => {
      const held = heldOf.get(carrierAccountId);
      if (held === undefined) return;
      held.inUse -= 1;
      wakeNext(held);
    },
    close: async () => {
      closing.abort();
      for (const [carrierAccountId, held] of heldOf) {
        await held.renewing;
        await permits.release(carrierAccountId).catch(deps.onError);
      }
    },
  };
}

/** Resolves when there may be room, or the signal aborts. */
function change(held: Held, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      held.waiting.delete(done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    held.waiting.add(done);
    signal.addEventListener('abort', done, { once: true });
  });
}

function wakeNext(held: Held | undefined): void {
  const [next] = held?.waiting ?? [];
  next?.();
}

function wakeAll(held: Held): void {
  for (const done of held.waiting) done();
}

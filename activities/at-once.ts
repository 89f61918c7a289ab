import { randomUUID } from 'node:crypto';
import { claimPermits, releasePermits } from '../db/carrier-permits.ts';
import type { Db } from '../db/database.ts';
import type { AtOnce } from '../domain/dispatch/at-once.ts';

/** What a worker needs to keep within what carriers take at once. */
export interface AtOnceDeps {
  readonly db: Db;
  /** Monotonic machine milliseconds. */
  readonly now: () => number;
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
  timer: NodeJS.Timeout | null;
  renewing: Promise<void>;
}

/** Longer than the time for which permits are used, by what a request may take until it is given up on. */
const TTL_MS = 30_000;
const REQUEST_MS_MAX = 20_000;
const RENEW_INTERVAL_MS = 2_000;
const IDLE_MS_MAX = 15_000;

/**
 * Room at carriers by permits that are renewed in the database. A worker that is killed leaves its permits taken until
 * its requests are over; one that stood still, or has lost the database, begins nothing until it has renewed them.
 */
export function createAtOnce(deps: AtOnceDeps): AtOnce & { readonly close: () => Promise<void> } {
  const id = randomUUID();
  const heldOf = new Map<string, Held>();
  let isClosed = false;

  const renew = async (carrierAccountId: string, held: Held): Promise<void> => {
    if (held.inUse === 0 && held.waiting.size === 0 && deps.now() - held.usedAt > IDLE_MS_MAX) {
      held.validUntil = Number.NEGATIVE_INFINITY;
      await releasePermits(deps.db, { id, carrierAccountId });
      // Known until then, so that whoever comes meanwhile waits: what is claimed for him must not be what this gives back.
      if (held.waiting.size === 0) {
        heldOf.delete(carrierAccountId);
        return;
      }
    }
    const askedAt = deps.now();
    const { inUse } = held;
    // What is more than that may be somebody else's as soon as this is asked, answered or not.
    held.permits = Math.min(held.permits, inUse);
    held.permits = await claimPermits(deps.db, {
      id,
      carrierAccountId,
      wanted: deps.wanted,
      inUse,
      ttlMs: TTL_MS,
    });
    held.validUntil = askedAt + TTL_MS - REQUEST_MS_MAX;
    wakeAll(held);
  };

  const renewFromNowOn = (carrierAccountId: string, held: Held): void => {
    held.renewing = renew(carrierAccountId, held)
      .catch(deps.onError)
      .then(() => {
        if (isClosed || heldOf.get(carrierAccountId) !== held) return;
        held.timer = setTimeout(() => renewFromNowOn(carrierAccountId, held), RENEW_INTERVAL_MS);
        held.timer.unref();
      });
  };

  const holdFor = (carrierAccountId: string): Held => {
    const known = heldOf.get(carrierAccountId);
    if (known !== undefined) return known;
    const held: Held = {
      permits: 0,
      validUntil: Number.NEGATIVE_INFINITY,
      inUse: 0,
      usedAt: deps.now(),
      waiting: new Set(),
      timer: null,
      renewing: Promise.resolve(),
    };
    heldOf.set(carrierAccountId, held);
    renewFromNowOn(carrierAccountId, held);
    return held;
  };

  const tryTake = (held: Held): boolean => {
    if (deps.now() >= held.validUntil || held.inUse >= held.permits) return false;
    held.inUse += 1;
    held.usedAt = deps.now();
    return true;
  };

  return {
    take: async (carrierAccountId, signal) => {
      for (;;) {
        if (signal.aborted) return false;
        const held = holdFor(carrierAccountId);
        if (tryTake(held)) return true;
        await change(held, signal);
      }
    },
    giveBack: (carrierAccountId) => {
      const held = heldOf.get(carrierAccountId);
      if (held === undefined) return;
      held.inUse -= 1;
      const [first] = held.waiting;
      first?.();
    },
    close: async () => {
      isClosed = true;
      for (const [carrierAccountId, held] of heldOf) {
        if (held.timer !== null) clearTimeout(held.timer);
        await held.renewing;
        await releasePermits(deps.db, { id, carrierAccountId }).catch(deps.onError);
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

function wakeAll(held: Held): void {
  for (const done of held.waiting) done();
}

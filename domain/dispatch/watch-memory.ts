import type { Lease, LeasedRecipient } from './dispatch-store.ts';
import type { PostPermission } from './post-lease.ts';

/** What a worker has heard of gates and opt-outs, so that each post can look once more without asking. */
export interface WatchMemory {
  readonly permission: (
    lease: Pick<Lease, 'accountId' | 'scopes' | 'carrierAccountId'>,
    person: Pick<LeasedRecipient, 'numberHash'>,
    leasedAt: number,
  ) => PostPermission;
  /** A gate moved, nobody says which way: it counts as closed until the read that this begins is answered. */
  readonly gateMoved: (scopeId: string) => GateRead;
  readonly gateRead: (read: GateRead, holds: number | undefined) => void;
  /**
   * Notice of a suppression: `+` or `-` with account and hash, and with the sender where it holds for that one only, or
   * `*` with an account of which many changed.
   */
  readonly suppressionMoved: (notice: string) => void;
  /** A circuit opened over a sender or a carrier account; leases that are asked for later have seen it. */
  readonly circuitOpened: (scopeId: string) => void;
  /** The carrier has asked for a pause of so long; leases that are asked for later have seen it. */
  readonly carrierPaused: (carrierAccountId: string, delayMs: number) => void;
  /** Notices arrive again, and the closed gates are about to be read. */
  readonly connecting: () => void;
  /** These gates were closed when they were read; what was heard of a gate since `connecting` is newer. */
  readonly connected: (closedScopes: readonly string[]) => void;
  /** Nothing is heard any more: every post is refused. */
  readonly lost: () => void;
  /** Forgets what every lease that can still be posted has seen. */
  readonly sweep: () => void;
}

/** One look at a gate's row; only the newest of a gate opens it. */
export interface GateRead {
  readonly scopeId: string;
}

/** An opt-out older than this is seen by every lease that can still be posted. */
export const SUPPRESSION_KEPT_MS = 120_000;

/** A memory that has heard nothing yet. `now` is machine time in milliseconds. */
export function createWatchMemory(now: () => number): WatchMemory {
  const closedGates = new Set<string>();
  /** The newest read under way of each gate. */
  const reads = new Map<string, GateRead>();
  const suppressed = new Map<string, number>();
  /** Machine time at which a circuit was heard to open; leases that were asked for later have seen it. */
  const opened = new Map<string, number>();
  /** By carrier account: when a pause was last heard of, and until when it lasts, in machine time. */
  const pauses = new Map<string, { readonly heardAt: number; readonly until: number }>();
  /** Machine time before which an account's leases were asked for without knowing of many suppressions. */
  const outdated = new Map<string, number>();
  /** Machine time since which everything was heard; null while nothing is. */
  let heardSince: number | null = null;
  /** Gates that moved since notices arrive again, until the closed ones have been read. */
  const movedMeanwhile = new Set<string>();

  return {
    permission: (lease, person, leasedAt) => {
      if (
        heardSince === null ||
        leasedAt < heardSince ||
        leasedAt <= (outdated.get(lease.accountId) ?? Number.NEGATIVE_INFINITY) ||
        (closedGates.size > 0 && lease.scopes.some((scope) => closedGates.has(scope)))
      )
        return 'held';
      // Most of the time nothing has failed and nobody has opted out, and this is asked of everybody who is texted.
      const isOpen =
        opened.size > 0 &&
        [...lease.scopes, lease.carrierAccountId].some(
          (scope) => leasedAt <= (opened.get(scope) ?? Number.NEGATIVE_INFINITY),
        );
      if (isOpen) return 'circuit_open';
      const pause = pauses.size === 0 ? undefined : pauses.get(lease.carrierAccountId);
      if (pause !== undefined && leasedAt <= pause.heardAt && now() < pause.until) return 'carrier_paused';
      if (suppressed.size === 0) return 'open';
      const key = `${lease.accountId} ${person.numberHash}`;
      // Whom another sender must not text the next lease would hold again at once, and so on.
      const isSuppressed =
        suppressed.has(key) || lease.scopes.some((scope) => suppressed.has(`${key} ${scope}`));
      return isSuppressed ? 'suppressed' : 'open';
    },
    gateMoved: (scopeId) => {
      // Refuse until the row has been read: the notice says that it moved, not which way.
      closedGates.add(scopeId);
      if (heardSince === null) movedMeanwhile.add(scopeId);
      const read: GateRead = { scopeId };
      reads.set(scopeId, read);
      return read;
    },
    gateRead: (read, holds) => {
      // Only the newest read opens: an older one may have been answered before the gate closed again.
      if (reads.get(read.scopeId) !== read) return;
      reads.delete(read.scopeId);
      if (holds === 0) closedGates.delete(read.scopeId);
    },
    suppressionMoved: (notice) => {
      const key = notice.slice(1);
      if (notice.startsWith('*')) outdated.set(key, now());
      else if (notice.startsWith('+')) suppressed.set(key, now());
      else suppressed.delete(key);
    },
    circuitOpened: (scopeId) => {
      opened.set(scopeId, now());
    },
    carrierPaused: (carrierAccountId, delayMs) => {
      const until = Math.max(pauses.get(carrierAccountId)?.until ?? 0, now() + delayMs);
      pauses.set(carrierAccountId, { heardAt: now(), until });
    },
    connecting: () => {
      // Until the closed gates have been read nothing that was known of them holds.
      heardSince = null;
      closedGates.clear();
      reads.clear();
      movedMeanwhile.clear();
    },
    connected: (closedScopes) => {
      for (const scope of closedScopes) if (!movedMeanwhile.has(scope)) closedGates.add(scope);
      movedMeanwhile.clear();
      heardSince = now();
    },
    lost: () => {
      heardSince = null;
    },
    sweep: () => {
      const oldest = now() - SUPPRESSION_KEPT_MS;
      for (const heard of [suppressed, outdated, opened]) {
        for (const [key, seenAt] of heard) if (seenAt < oldest) heard.delete(key);
      }
      for (const [key, { until }] of pauses) if (until < now()) pauses.delete(key);
    },
  };
}

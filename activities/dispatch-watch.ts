import type pg from 'pg';
import { CIRCUIT_CHANNEL } from '../db/circuits.ts';
import { GATE_CHANNEL } from '../db/gates.ts';
import { SUPPRESSION_CHANNEL } from '../db/suppressions.ts';
import type { Lease, LeasedRecipient } from '../domain/dispatch/dispatch-store.ts';
import type { PostPermission } from '../domain/dispatch/post-lease.ts';

/** Memory that follows the database, so that each post can look once more without asking it. */
export interface DispatchWatch {
  readonly permission: (
    lease: Pick<Lease, 'accountId' | 'scopes' | 'carrierAccountId'>,
    person: Pick<LeasedRecipient, 'numberHash'>,
    leasedAt: number,
  ) => PostPermission;
  readonly close: () => Promise<void>;
}

/** An opt-out older than this is seen by every lease that can still be posted. */
const SUPPRESSION_KEPT_MS = 120_000;
const RECONNECT_MS = 500;

/**
 * Listens for gates that close and for opt-outs. While the listener is not connected every post is refused.
 * Once it is connected again it reads all closed gates first, and posts of leases that were asked for before
 * stay refused: an opt-out that came in between was not heard, and only a lease of after it has seen it.
 */
export async function watchDispatch(
  pool: pg.Pool,
  onError: (error: unknown) => void,
): Promise<DispatchWatch> {
  const closedGates = new Set<string>();
  /** The newest read under way of each gate. */
  const reads = new Map<string, symbol>();
  const suppressed = new Map<string, number>();
  /** Machine time at which a circuit was heard to open; leases that were asked for later have seen it. */
  const opened = new Map<string, number>();
  /** Machine time before which an account's leases were asked for without knowing of many suppressions. */
  const outdated = new Map<string, number>();
  /** Machine time since which everything was heard; null while nothing is. */
  let heardSince: number | null = null;
  let isClosed = false;
  let client: pg.PoolClient | null = null;
  let retry: NodeJS.Timeout | null = null;

  const rereadGate = async (scopeId: string): Promise<void> => {
    // Refuse until the row has been read: the notice says that it moved, not which way.
    closedGates.add(scopeId);
    const read = Symbol(scopeId);
    reads.set(scopeId, read);
    const row = await pool.query<{ holds: number }>('select holds from gates where scope_id = $1', [scopeId]);
    // Only the newest read opens: an older one may have been answered before the gate closed again.
    if (reads.get(scopeId) !== read) return;
    reads.delete(scopeId);
    if (row.rows[0]?.holds === 0) closedGates.delete(scopeId);
  };

  const onNotice = (notice: pg.Notification): void => {
    if (notice.payload === undefined) return;
    if (notice.channel === CIRCUIT_CHANNEL) opened.set(notice.payload, performance.now());
    else if (notice.channel === GATE_CHANNEL) rereadGate(notice.payload).catch(distrust);
    else if (notice.channel === SUPPRESSION_CHANNEL) {
      const key = notice.payload.slice(1);
      if (notice.payload.startsWith('*')) outdated.set(key, performance.now());
      else if (notice.payload.startsWith('+')) suppressed.set(key, performance.now());
      else suppressed.delete(key);
    }
  };

  const connect = async (): Promise<void> => {
    const fresh = await pool.connect();
    client = fresh;
    fresh.on('notification', onNotice);
    const onLost = (): void => {
      if (client === fresh) lose();
    };
    fresh.once('error', onLost);
    fresh.once('end', onLost);
    await fresh.query(`listen ${GATE_CHANNEL}`);
    await fresh.query(`listen ${SUPPRESSION_CHANNEL}`);
    await fresh.query(`listen ${CIRCUIT_CHANNEL}`);
    const closed = await fresh.query<{ scope_id: string }>('select scope_id from gates where holds > 0');
    closedGates.clear();
    reads.clear();
    for (const row of closed.rows) closedGates.add(row.scope_id);
    heardSince = performance.now();
  };

  const lose = (): void => {
    heardSince = null;
    client?.release(true);
    client = null;
    if (isClosed || retry !== null) return;
    retry = setTimeout(() => {
      retry = null;
      connect().catch((error: unknown) => {
        onError(error);
        lose();
      });
    }, RECONNECT_MS);
  };

  /** A gate that could not be read would stay closed in memory for ever, so everything is read again. */
  const distrust = (error: unknown): void => {
    onError(error);
    lose();
  };

  const sweep = setInterval(() => {
    const oldest = performance.now() - SUPPRESSION_KEPT_MS;
    for (const heard of [suppressed, outdated, opened]) {
      for (const [key, seenAt] of heard) if (seenAt < oldest) heard.delete(key);
    }
  }, SUPPRESSION_KEPT_MS);
  sweep.unref();
  await connect();

  return {
    permission: (lease, person, leasedAt) => {
      if (
        heardSince === null ||
        leasedAt < heardSince ||
        leasedAt <= (outdated.get(lease.accountId) ?? Number.NEGATIVE_INFINITY) ||
        lease.scopes.some((scope) => closedGates.has(scope))
      )
        return 'held';
      const isOpen = [...lease.scopes, lease.carrierAccountId].some(
        (scope) => leasedAt <= (opened.get(scope) ?? Number.NEGATIVE_INFINITY),
      );
      if (isOpen) return 'circuit_open';
      return suppressed.has(`${lease.accountId} ${person.numberHash}`) ? 'suppressed' : 'open';
    },
    close: async () => {
      isClosed = true;
      heardSince = null;
      clearInterval(sweep);
      if (retry !== null) clearTimeout(retry);
      client?.release(true);
      client = null;
      await Promise.resolve();
    },
  };
}

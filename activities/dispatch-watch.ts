import type pg from 'pg';
import { PAUSE_CHANNEL } from '../db/carrier-accounts.ts';
import { CIRCUIT_CHANNEL } from '../db/circuits.ts';
import { GATE_CHANNEL } from '../db/gates.ts';
import { SUPPRESSION_CHANNEL } from '../db/suppressions.ts';
import { createWatchMemory, SUPPRESSION_KEPT_MS, type WatchMemory } from '../domain/dispatch/watch-memory.ts';

/** Memory that follows the database, so that each post can look once more without asking it. */
export interface DispatchWatch {
  readonly permission: WatchMemory['permission'];
  readonly close: () => Promise<void>;
}

const RECONNECT_MS = 500;
/**
 * How often the listener asks whether it is still heard. Of a server whose machine is gone it would never know: it
 * says nothing by itself, and what no longer comes looks like nothing that happens.
 */
const ASK_EVERY_MS = 5_000;

/**
 * Listens for gates that close, for opt-outs, and for carriers that are to be left alone. While the listener is not connected every post is refused.
 * Once it is connected again it reads all closed gates first, and posts of leases that were asked for before
 * stay refused: an opt-out that came in between was not heard, and only a lease of after it has seen it. One that does
 * not answer for `askEveryMs` counts as not connected.
 */
export async function watchDispatch(
  pool: pg.Pool,
  onError: (error: unknown) => void,
  askEveryMs = ASK_EVERY_MS,
): Promise<DispatchWatch> {
  const memory = createWatchMemory(() => performance.now());
  let isClosed = false;
  let client: pg.PoolClient | null = null;
  let retry: NodeJS.Timeout | null = null;

  const rereadGate = async (scopeId: string): Promise<void> => {
    const read = memory.gateMoved(scopeId);
    const row = await pool.query<{ holds: number }>('select holds from gates where scope_id = $1', [scopeId]);
    memory.gateRead(read, row.rows[0]?.holds);
  };

  const pause = (notice: string): void => {
    const [carrierAccountId = '', delayMs] = notice.split(' ');
    memory.carrierPaused(carrierAccountId, Number(delayMs));
  };

  const onNotice = (notice: pg.Notification): void => {
    if (notice.payload === undefined) return;
    if (notice.channel === CIRCUIT_CHANNEL) memory.circuitOpened(notice.payload);
    else if (notice.channel === PAUSE_CHANNEL) pause(notice.payload);
    else if (notice.channel === GATE_CHANNEL) rereadGate(notice.payload).catch(distrust);
    else if (notice.channel === SUPPRESSION_CHANNEL) memory.suppressionMoved(notice.payload);
  };

  /** Only the newest connection counts; one that was asked for before it is given back as soon as it is there. */
  let newest = 0;

  const connect = async (): Promise<void> => {
    newest += 1;
    const own = newest;
    const isNewest = (): boolean => own === newest && !isClosed;
    const fresh = await pool.connect();
    if (!isNewest()) {
      fresh.release(true);
      return;
    }
    client = fresh;
    fresh.on('notification', onNotice);
    const onLost = (): void => {
      if (isNewest()) lose();
    };
    fresh.once('error', onLost);
    fresh.once('end', onLost);
    memory.connecting();
    await fresh.query(`listen ${GATE_CHANNEL}`);
    await fresh.query(`listen ${SUPPRESSION_CHANNEL}`);
    await fresh.query(`listen ${CIRCUIT_CHANNEL}`);
    await fresh.query(`listen ${PAUSE_CHANNEL}`);
    const closed = await fresh.query<{ scope_id: string }>('select scope_id from gates where holds > 0');
    if (isNewest()) memory.connected(closed.rows.map((row) => row.scope_id));
  };

  const lose = (): void => {
    newest += 1;
    memory.lost();
    client?.release(true);
    client = null;
    if (isClosed || retry !== null) return;
    retry = setTimeout(() => {
      retry = null;
      const connecting = connect();
      const own = newest;
      connecting.catch((error: unknown) => {
        onError(error);
        if (own === newest) lose();
      });
    }, RECONNECT_MS);
  };

  /** A gate that could not be read would stay closed in memory for ever, so everything is read again. */
  const distrust = (error: unknown): void => {
    onError(error);
    lose();
  };

  /** The connection that has not answered yet. */
  let asked: pg.PoolClient | null = null;

  const ask = (): void => {
    const listening = client;
    if (listening === null) return;
    if (asked === listening) {
      distrust(new Error('Whoever tells of gates and opt-outs does not answer.'));
      return;
    }
    asked = listening;
    listening.query('select scope_id from gates limit 0').then(
      () => {
        if (asked === listening) asked = null;
      },
      // Whoever ends the connection, or loses it, tells of that.
      () => undefined,
    );
  };

  const sweep = setInterval(memory.sweep, SUPPRESSION_KEPT_MS);
  sweep.unref();
  await connect();
  const asking = setInterval(ask, askEveryMs);
  asking.unref();

  return {
    permission: memory.permission,
    close: async () => {
      isClosed = true;
      memory.lost();
      clearInterval(sweep);
      clearInterval(asking);
      if (retry !== null) clearTimeout(retry);
      client?.release(true);
      client = null;
      await Promise.resolve();
    },
  };
}

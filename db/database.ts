import { CompiledQuery, Kysely, PostgresDialect, sql, type Transaction } from 'kysely';
import { escapeLiteral, Pool, type PoolClient, types } from 'pg';
import { type Closing, openPipelined, type Pipelined } from './pipelined-driver.ts';
import type { Database } from './schema.ts';

/** The handle that every process works with. It has the tenant's role: without an account it sees no row. */
export type Db = Kysely<Database>;
/** A transaction inside `withAccount`, or one that reads installation-wide tables only. */
export type Trx = Transaction<Database>;

// bigint columns are keys, counts and micro-units of money. All stay below 2^53, so a number is exact.
types.setTypeParser(types.builtins.INT8, (value) => {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new Error('A bigint from the database is too large for a number.');
  return number;
});
// A date is a ledger month or a day of a rule, neither of which is an instant.
types.setTypeParser(types.builtins.DATE, (value) => value);

/** How a pool is made: the role is part of the connection's start, so no query can run without it. */
export interface PoolOptions {
  readonly connectionString: string;
  readonly connectionsMax: number;
  readonly role: 'carillon_app' | 'owner';
  /** How long somebody waits for a connection, in milliseconds; 20 s unless given. */
  readonly waitMs?: number;
  /** How long a query waits for what somebody else has locked, in milliseconds; until he is done unless given. */
  readonly lockWaitMs?: number;
  /**
   * After how long PostgreSQL rolls back a transaction that is asked nothing more, and breaks its connection off, in
   * milliseconds; never unless given.
   */
  readonly standstillMs?: number;
  /** For `openPipelinedDatabase`; such clients can neither COPY nor have cursors. */
  readonly pipeline?: true;
}

const WAIT_MS = 20_000;
/**
 * Of a process that stands still in the middle of a short transaction, frozen or cut off, nobody waits longer for the
 * locks; what it does when it goes on is refused.
 */
export const STANDSTILL_MS_MAX = 15_000;
/** Seconds after which PostgreSQL asks whether a client that says nothing is still there, and between three more tries. */
const KEEPALIVE_S = { idle: 60, interval: 10, count: 3 } as const;

/** A pool of plain connections, for COPY and LISTEN; everything else goes through `openDatabase`. */
export function openPool(options: PoolOptions): Pool {
  const pool = new Pool({
    connectionString: options.connectionString,
    max: options.connectionsMax,
    connectionTimeoutMillis: options.waitMs ?? WAIT_MS,
    ...(options.pipeline === true ? { pipeline: true } : {}),
    options: Object.entries(settingsOf(options))
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(' '),
  });
  // An idle connection that the server ends is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => undefined);
  // One that is in use tells whoever asked; it tells its listeners as well, of which the pool is none meanwhile.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}

/** What holds for every query of a connection. */
function settingsOf({ role, lockWaitMs, standstillMs }: PoolOptions): Record<string, string | number> {
  return {
    // Locks that a session has, and not a transaction, would be kept for hours for a host that has gone.
    tcp_keepalives_idle: KEEPALIVE_S.idle,
    tcp_keepalives_interval: KEEPALIVE_S.interval,
    tcp_keepalives_count: KEEPALIVE_S.count,
    ...(role === 'owner' ? {} : { role, timezone: 'UTC' }),
    ...(lockWaitMs === undefined ? {} : { lock_timeout: lockWaitMs }),
    ...(standstillMs === undefined ? {} : { idle_in_transaction_session_timeout: standstillMs }),
  };
}

/** Wraps a pool for queries. Destroying the handle ends the pool. */
export function openDatabase(pool: Pool): Db {
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
}

/** The handles whose clients take a query before the one before it is answered. */
const pipelined = new WeakMap<Db, Pipelined<Database>>();

/**
 * The handle of a process that answers many short requests: it asks PostgreSQL in fewer round trips. Queries that
 * do not need one another's answers may be asked for at once (`Promise.all`) in a transaction of it.
 */
export function openPipelinedDatabase(options: Omit<PoolOptions, 'pipeline'>): Db {
  const opened = openPipelined<Database>(
    openPool({ standstillMs: STANDSTILL_MS_MAX, ...options, pipeline: true }),
  );
  pipelined.set(opened.db, opened);
  return opened.db;
}

/**
 * The only way to a tenant's rows: a transaction in which row-level security shows this account and no other.
 * The setting is local to the transaction, because one of a session would go stale on a pooled connection. What the
 * work asks last it may ask through `closing`, so that it waits for nothing more.
 */
export async function withAccount<Result>(
  db: Db,
  accountId: string,
  work: (trx: Trx, closing: Closing) => Promise<Result>,
): Promise<Result> {
  return inAccount(db, accountId, { readsOnly: false }, work);
}

/**
 * The same for the ledger, whose statements look up a few rows by their keys in tables of millions. Their plans are kept
 * by the connection, and one that was made while a month had hardly begun would read all of the month from then on, so
 * here nothing is read as a whole.
 */
export async function withLedger<Result>(
  db: Db,
  accountId: string,
  work: (trx: Trx, closing: Closing) => Promise<Result>,
  options: LedgerOptions = {},
): Promise<Result> {
  return inAccount(db, accountId, { readsOnly: false, byKey: true, ...options }, work);
}

/** How a transaction on the ledger ends. */
export interface LedgerOptions {
  /**
   * What is asked through `closing` resolves when it is durable, as ever, but the locks go before that, so that nobody
   * waits for a disk because of them. Whoever takes them over commits after it: a crash loses both or the later one.
   */
  readonly releasesEarly?: boolean;
}

/** The same for what only reads: the answer does not wait for the transaction's end. */
export async function withAccountReading<Result>(
  db: Db,
  accountId: string,
  work: (trx: Trx) => Promise<Result>,
): Promise<Result> {
  return inAccount(db, accountId, { readsOnly: true }, work);
}

interface Mode extends LedgerOptions {
  readonly readsOnly: boolean;
  readonly byKey?: boolean;
}

/** What is committed before this is durable when it is answered; a commit flushes what came before it, too. */
const FLUSH = "select pg_logical_emit_message(true, 'carillon', '')";

async function inAccount<Result>(
  db: Db,
  accountId: string,
  mode: Mode,
  work: (trx: Trx, closing: Closing) => Promise<Result>,
): Promise<Result> {
  const settings = [`set local app.account = ${escapeLiteral(accountId)}`];
  if (mode.byKey === true) settings.push('set local enable_seqscan = off', 'set local jit = off');
  if (mode.releasesEarly === true) settings.push('set local synchronous_commit = off');
  const begin = CompiledQuery.raw(settings.join('; '));
  const { readsOnly } = mode;
  const handle = pipelined.get(db);
  if (handle !== undefined) {
    const flush = mode.releasesEarly === true ? FLUSH : null;
    return handle.transact({ readsOnly, flush }, async (trx, closing) => {
      const named = trx.executeQuery(begin);
      // Without the account every query of the work fails or sees nothing, so that it need not be waited for.
      named.catch(() => undefined);
      try {
        return await work(trx, closing);
      } finally {
        await named;
      }
    });
  }
  const transaction = readsOnly ? db.transaction().setAccessMode('read only') : db.transaction();
  let isClosing = false;
  const result = await transaction.execute(async (trx) => {
    await trx.executeQuery(begin);
    return work(trx, (ask) => {
      isClosing = true;
      return ask();
    });
  });
  if (isClosing && mode.releasesEarly === true) await db.executeQuery(CompiledQuery.raw(FLUSH));
  return result;
}

/** The queries of this module's kind on a plain connection that is in a transaction of an account already. */
export function transactionOf(client: PoolClient): Trx {
  const pool = {
    connect: () => Promise.resolve({ query: client.query.bind(client), release: () => undefined }),
    end: () => Promise.resolve(),
  };
  // It begins and ends nothing by itself, which is all that a transaction's handle asks for.
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) }) as unknown as Trx;
}

/** Goes over to another account for a part of a transaction, so that what an operator makes commits as one. */
export async function actAs<Result>(
  trx: Trx,
  accounts: { readonly from: string; readonly to: string },
  work: () => Promise<Result>,
): Promise<Result> {
  await sql`select set_config('app.account', ${accounts.to}, true)`.execute(trx);
  const result = await work();
  await sql`select set_config('app.account', ${accounts.from}, true)`.execute(trx);
  return result;
}

import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  PostgresDialect,
  type QueryResult,
  Transaction,
  type TransactionSettings,
} from 'kysely';
import type { Pool, PoolClient } from 'pg';
import { askedTogether } from './asked-together.ts';

/** A handle whose transactions can be had pipelined. */
export interface Pipelined<DB> {
  readonly db: Kysely<DB>;
  /** A transaction in which queries that are asked for together (`Promise.all`) travel together. */
  readonly transact: <Result>(
    mode: TransactMode,
    work: (trx: Transaction<DB>, closing: Closing) => Promise<Result>,
  ) => Promise<Result>;
}

/** How a transaction begins and ends. */
export interface TransactMode {
  readonly readsOnly: boolean;
  /** What is asked once it has committed, and answered with its last queries. */
  readonly flush?: string | null;
}

/**
 * Asks a transaction's last queries, all of them at once, and ends it. Where the connection is pipelined the commit
 * travels with them: PostgreSQL rolls back instead if one of them fails, and then this rejects.
 */
export type Closing = <Answers>(ask: () => Promise<Answers>) => Promise<Answers>;

/**
 * Kysely on a pool whose clients send a query without waiting for the answer to the one before (`pipeline` of
 * `pg`). What a transaction says first (its begin and its account) travels with its first query, queries that are
 * asked for together travel together, and what only reads does not wait for the end of its transaction. Each
 * statement is prepared once a connection. PostgreSQL still carries out one after the other, and after one that
 * fails refuses the rest of the transaction.
 */
export function openPipelined<DB>(pool: Pool): Pipelined<DB> {
  const driver = new PipelinedDriver(pool);
  const dialect = new PipelinedDialect(pool, driver);
  const db = new Kysely<DB>({ dialect });
  return {
    db,
    // Kysely's own transactions hold each query back until the one before it is answered.
    transact: async ({ readsOnly, flush = null }, work) => {
      const connection = await driver.acquireConnection();
      try {
        connection.begin(readsOnly);
        const executor = db.getExecutor().withConnectionProvider({
          provideConnection: (consumer) => consumer(connection),
        });
        const trx = new Transaction<DB>({ config: { dialect }, dialect, driver, executor });
        let isClosing = false;
        const result = await work(trx, async (ask) => {
          isClosing = true;
          const [answers] = await askedTogether([ask(), connection.commit(flush)]);
          return answers;
        });
        if (!isClosing) await connection.commit();
        return result;
      } catch (error) {
        // A connection that is gone has nothing to roll back, and its own word of that would hide what went wrong.
        await connection.rollback().catch(() => undefined);
        throw error;
      } finally {
        connection.release();
      }
    },
  };
}

class PipelinedDialect extends PostgresDialect {
  readonly #driver: PipelinedDriver;

  constructor(pool: Pool, driver: PipelinedDriver) {
    super({ pool });
    this.#driver = driver;
  }

  override createDriver(): Driver {
    return this.#driver;
  }
}

/** Statements that are prepared; a process that asks more kinds of them has the rest parsed each time. */
const PREPARED_MAX = 500;

class PipelinedDriver implements Driver {
  readonly #pool: Pool;
  /** The name of each statement that is prepared, by its text. */
  readonly #names = new Map<string, string>();

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  init(): Promise<void> {
    return Promise.resolve();
  }

  async acquireConnection(): Promise<PipelinedConnection> {
    return new PipelinedConnection(await this.#pool.connect(), (text) => this.#nameOf(text));
  }

  beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    asPipelined(connection).begin(settings.accessMode === 'read only');
    return Promise.resolve();
  }

  commitTransaction(connection: DatabaseConnection): Promise<void> {
    return asPipelined(connection).commit();
  }

  rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    return asPipelined(connection).rollback();
  }

  releaseConnection(connection: DatabaseConnection): Promise<void> {
    asPipelined(connection).release();
    return Promise.resolve();
  }

  destroy(): Promise<void> {
    return this.#pool.end();
  }

  #nameOf(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known !== undefined || this.#names.size >= PREPARED_MAX) return known;
    const name = `s${this.#names.size}`;
    this.#names.set(text, name);
    return name;
  }
}

/** A client of the pool from when it is taken to when it is given back. */
class PipelinedConnection implements DatabaseConnection {
  readonly #client: PoolClient;
  readonly #nameOf: (text: string) => string | undefined;
  /** The begin of a transaction that has said nothing yet. */
  #opening: 'begin' | 'begin read only' | null = null;
  #begun: Promise<unknown> = Promise.resolve();
  #readsOnly = false;
  /** What has to be answered before somebody else may have the client. */
  #ended: Promise<unknown> = Promise.resolve();
  #isCorked = false;
  /** The commit is on its way. */
  #isClosed = false;
  #isBroken = false;
  #isReleased = false;

  constructor(client: PoolClient, nameOf: (text: string) => string | undefined) {
    this.#client = client;
    this.#nameOf = nameOf;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    if (this.#isClosed || this.#isReleased) {
      throw new Error('A query was asked for after the end of its transaction.');
    }
    this.#cork();
    if (this.#opening !== null && query.parameters.length === 0) return this.#open(query.sql);
    // Whoever commits hears of its failure, and the query that follows it fails as well.
    if (this.#opening !== null) this.#open().catch(() => undefined);
    const name = this.#nameOf(query.sql);
    const { command, rowCount, rows } = await this.#client.query<Row & object>({
      ...(name === undefined ? {} : { name }),
      text: query.sql,
      values: [...query.parameters],
    });
    const changes =
      command === 'INSERT' || command === 'UPDATE' || command === 'DELETE' || command === 'MERGE';
    return { rows, ...(changes ? { numAffectedRows: BigInt(rowCount ?? 0) } : {}) };
  }

  // oxlint-disable-next-line require-yield -- It has to be a generator, and there is nothing that it could give.
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('A pipelined connection has no cursors. Take one of the plain pool.');
  }

  begin(readsOnly: boolean): void {
    this.#readsOnly = readsOnly;
    this.#opening = readsOnly ? 'begin read only' : 'begin';
  }

  async commit(flush: string | null = null): Promise<void> {
    this.#isClosed = true;
    if (this.#opening !== null) return;
    this.#cork();
    const committed = this.#client.query('commit');
    if (this.#readsOnly) {
      // What was read was read, whatever becomes of this.
      this.#ended = committed;
      return;
    }
    const flushed = flush === null ? null : this.#client.query(flush);
    // Whichever fails first is told of; the others fail with it.
    for (const sent of [committed, flushed]) sent?.catch(() => undefined);
    await this.#begun;
    const { command } = await committed;
    await flushed;
    if (command === 'ROLLBACK') {
      throw new Error('The transaction was rolled back, since a query in it had failed.');
    }
  }

  async rollback(): Promise<void> {
    if (this.#opening !== null) return;
    try {
      await this.#client.query('rollback');
    } catch (error) {
      this.#isBroken = true;
      throw error;
    }
  }

  /** Gives the client back as soon as nothing is on its way any more. */
  release(): void {
    this.#isReleased = true;
    this.#ended.then(
      () => this.#client.release(this.#isBroken),
      () => this.#client.release(true),
    );
  }

  /** A statement without parameters travels in one message with the begin, and is answered with it. */
  async #open<Row>(first?: string): Promise<QueryResult<Row>> {
    const text = first === undefined ? String(this.#opening) : `${this.#opening}; ${first}`;
    this.#opening = null;
    const opened = this.#client.query<Row & object>(text);
    this.#begun = opened;
    // Whoever commits hears of it, and until then every query of the transaction fails as well.
    opened.catch(() => undefined);
    // Of several statements `pg` gives several results, which its types do not know.
    const results: unknown = await opened;
    const last: unknown = Array.isArray(results) ? results.at(-1) : results;
    return { rows: (last as { readonly rows: Row[] }).rows };
  }

  /** Holds back what is written until this turn ends, so that queries that are asked for together are sent as one. */
  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    const { stream } = this.#client.connection;
    stream.cork();
    process.nextTick(() => {
      this.#isCorked = false;
      stream.uncork();
    });
  }
}

function asPipelined(connection: DatabaseConnection): PipelinedConnection {
  if (connection instanceof PipelinedConnection) return connection;
  throw new TypeError('The connection is not one of this driver.');
}

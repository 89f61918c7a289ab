import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { ColumnMapping } from '../../domain/csv-format.ts';
import type { RefusedRow } from '../../domain/import/contact-row.ts';
import type { FileFormat, ImportFault } from '../../domain/import/import-plan.ts';
import { transactionOf } from '../database.ts';
import type { ImportCounts } from '../imports.ts';
import { noteFinish } from './import-end.ts';
import type { BatchCounts, RowWriter } from './row-writer.ts';

/** What an import's transaction is opened for. */
export interface ImportTransactionOptions<Row> {
  readonly pool: pg.Pool;
  readonly writer: RowWriter<Row>;
  readonly accountId: string;
  readonly importId: string;
  readonly listIds: readonly string[];
}

/**
 * The one transaction of an import: everything that it writes becomes visible together, or never. Nothing here
 * that returns a promise may be called before the one before has resolved.
 */
export interface ImportTransaction<Row> {
  /** Rows as `writeRows` takes them, none twice. Can be called at any time. */
  encode(rows: Iterable<Row>): readonly Buffer[];
  /** Writes a batch of rows. */
  writeRows(encoded: readonly Buffer[]): Promise<BatchCounts>;
  /** Writes what the batches have left for the end. */
  completeRows(): Promise<BatchCounts>;
  writeRefusals(rows: readonly RefusedRow[]): Promise<void>;
  /** Writes the final status, removes the content and commits. */
  finish(result: {
    readonly counts: ImportCounts;
    readonly format: FileFormat;
    readonly mapping: ColumnMapping;
    readonly onBeforeCommit: () => void;
  }): Promise<void>;
  /** Undoes everything at any moment, unless `finish` has resolved. */
  abandon(): void;
}

/** Another process imports for this account at the moment, or the import is over. */
export type OpenedImport<Row> =
  | { readonly kind: 'open'; readonly transaction: ImportTransaction<Row> }
  | { readonly kind: 'busy' }
  | { readonly kind: 'over' }
  | { readonly kind: 'fault'; readonly fault: ImportFault };

/**
 * Opens the transaction. Imports of one account run one after the other, under a lock that goes with the
 * connection: two of the same file (a retry after a crash, and the runner that was thought dead) would do its
 * work twice, and two files with common numbers in different order would block each other for good.
 */
export async function openImportTransaction<Row>(
  options: ImportTransactionOptions<Row>,
): Promise<OpenedImport<Row>> {
  const client = await options.pool.connect();
  try {
    await client.query('begin');
    await client.query(`select set_config('app.account', $1, true)`, [options.accountId]);
    const locked = await client.query<{ got: boolean }>(
      `select pg_try_advisory_xact_lock(hashtext('carillon import'), hashtext($1)) as got`,
      [options.accountId],
    );
    if (locked.rows[0]?.got !== true) return await undone(client, { kind: 'busy' } as const);
    const found = await client.query<{ status: string }>(`select status from imports where id = $1`, [
      options.importId,
    ]);
    const status = found.rows[0]?.status;
    if (status !== 'queued' && status !== 'running') return await undone(client, { kind: 'over' } as const);
    if (!(await lockLists(client, options.listIds))) {
      return await undone(client, { kind: 'fault', fault: LIST_GONE } as const);
    }
    await client.query(`create temporary table import_batch (${options.writer.columns}) on commit drop`);
    return { kind: 'open', transaction: transactionOn(client, options) };
  } catch (error) {
    client.release(true);
    throw error;
  }
}

async function undone<Answer>(client: pg.PoolClient, answer: Answer): Promise<Answer> {
  await client.query('rollback');
  client.release();
  return answer;
}

const LIST_GONE: ImportFault = {
  code: 'list_gone',
  message: 'A list that the contacts were to go on has been deleted. Import the file again with other lists.',
};

const WRITE_REFUSALS = `
  insert into import_refusals (account_id, import_id, line, reason, field, raw)
  select $1, $2, r.line, r.reason, r.field, r.raw
  from unnest($3::bigint[], $4::text[], $5::text[], $6::text[]) as r(line, reason, field, raw)`;

const FINISH = `
  update imports set status = 'finished', format = $2, mapping = $3, bytes_read = bytes, rows_read = $4,
    rows_imported = $5, rows_created = $6, rows_merged = $7, rows_refused = $8, error = null,
    finished_at = clock_timestamp(), version = version + 1
  where id = $1 and status in ('queued', 'running')`;

function transactionOn<Row>(
  client: pg.PoolClient,
  options: ImportTransactionOptions<Row>,
): ImportTransaction<Row> {
  const { accountId, importId, writer } = options;
  let isReleased = false;
  return {
    encode: (rows) => [...slicesOf(rows)].map((slice) => Buffer.from(writer.encode(slice))),

    writeRows: async (encoded) => {
      const copy = client.query(copyFrom('copy import_batch from stdin'));
      await pipeline(Readable.from(encoded), copy);
      return writer.writeBatch(client);
    },

    completeRows: () => writer.complete(client),

    writeRefusals: async (rows) => {
      const column = <Value>(pick: (row: RefusedRow) => Value): Value[] => rows.map(pick);
      await client.query(WRITE_REFUSALS, [
        accountId,
        importId,
        column((row) => row.line),
        column((row) => row.reason),
        column((row) => row.field),
        column((row) => row.raw),
      ]);
    },

    finish: async ({ counts, format, mapping, onBeforeCommit }) => {
      const { read, imported, created, merged, refused } = counts;
      const values = [read, imported, created, merged, refused];
      const finished = await client.query(FINISH, [
        importId,
        JSON.stringify(format),
        JSON.stringify(mapping),
        ...values,
      ]);
      if (finished.rowCount !== 1) throw new Error('The import was ended by another process.');
      await client.query('delete from import_pieces where import_id = $1', [importId]);
      await noteFinish(transactionOf(client), options, counts);
      onBeforeCommit();
      await client.query('commit');
      isReleased = true;
      client.release();
    },

    abandon: () => {
      // The connection may be in the middle of a statement; ended, it takes the transaction with it.
      if (!isReleased) client.release(true);
      isReleased = true;
    },
  };
}

/** Keeps the lists from being deleted until the import is through; false if one is gone already. */
async function lockLists(client: pg.PoolClient, listIds: readonly string[]): Promise<boolean> {
  const wanted = new Set(listIds);
  const found = await client.query('select id from lists where id = any($1) order by id for key share', [
    [...wanted],
  ]);
  return found.rowCount === wanted.size;
}

/** Rows that are encoded into one text: more would make texts that the collector takes for long-lived. */
const SLICE_ROWS = 250;

function* slicesOf<Row>(rows: Iterable<Row>): Generator<readonly Row[]> {
  let slice: Row[] = [];
  for (const row of rows) {
    slice.push(row);
    if (slice.length < SLICE_ROWS) continue;
    yield slice;
    slice = [];
  }
  if (slice.length > 0) yield slice;
}

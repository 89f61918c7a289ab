import type pg from 'pg';
import { type Db, withAccount } from '../../db/database.ts';
import {
  type ContactImport,
  failImport,
  findImport,
  type ImportCounts,
  recordProgress,
} from '../../db/imports.ts';
import { readPiece } from '../../db/imports/content.ts';
import { type ImportTransaction, openImportTransaction } from '../../db/imports/import-transaction.ts';
import type { BatchCounts } from '../../db/imports/row-writer.ts';
import type { CrashHook } from '../../domain/dispatch/crash-points.ts';
import type { RefusedRow } from '../../domain/import/contact-row.ts';
import type { ImportFault } from '../../domain/import/import-plan.ts';
import { contactsSubject, type ImportSubject, suppressionsSubject } from './import-subject.ts';
import { type OpenedFile, openFile } from './read-file.ts';

/** What an import reaches the world through. */
export interface ImportDeps {
  readonly db: Db;
  /** Connections of the tenant's role, for COPY. */
  readonly pool: pg.Pool;
  readonly hashKey: Buffer;
  readonly crash?: CrashHook;
}

/** One import of one account. */
export interface ImportRun {
  readonly accountId: string;
  readonly importId: string;
  /** Called several times a second while there is something to say. */
  readonly onProgress?: (rowsRead: number) => void;
  readonly signal?: AbortSignal;
}

/** How a run ended. `busy`: another import of the account runs; try again. */
export type ImportResult =
  | { readonly kind: 'ended'; readonly status: 'finished' | 'failed'; readonly rows: ImportCounts }
  | { readonly kind: 'busy' }
  | { readonly kind: 'gone' };

type RunResult = { readonly kind: 'done' | 'busy' } | { readonly kind: 'fault'; readonly fault: ImportFault };

/** Fewer cost PostgreSQL time, more live long enough to make the heap grow. */
const BATCH_ROWS_MAX = 3_000;
/** Bytes of the file: wide rows make a batch of fewer. */
const BATCH_BYTES_MAX = 1_048_576;
const PROGRESS_INTERVAL_MS = 1_000;

/**
 * Imports a file whose content is complete: all of it in one transaction, so a crash at any point leaves
 * nothing half-done and the import can be run again. Running one that is over changes nothing.
 */
export async function runImport(deps: ImportDeps, run: ImportRun): Promise<ImportResult> {
  const found = await readImport(deps, run);
  if (found === null) return { kind: 'gone' };
  if (found.status !== 'queued' && found.status !== 'running') return resultOf(found);
  const result =
    found.subject === 'suppressions'
      ? await importRows(deps, run, found, suppressionsSubject(deps, run.accountId, found))
      : await importRows(deps, run, found, contactsSubject(deps, run.accountId, found));
  if (result.kind === 'busy') return { kind: 'busy' };
  if (result.kind === 'fault') {
    await withAccount(deps.db, run.accountId, (trx) =>
      failImport(trx, run.accountId, run.importId, result.fault),
    );
  }
  const ended = await readImport(deps, run);
  return ended === null ? { kind: 'gone' } : resultOf(ended);
}

async function importRows<Row>(
  deps: ImportDeps,
  run: ImportRun,
  found: ContactImport,
  subject: ImportSubject<Row>,
): Promise<RunResult> {
  const file = await openFile(piecesOf(deps, run), subject);
  return file.kind === 'fault' ? file : importFile({ deps, run, found, subject, file });
}

function resultOf(found: ContactImport): ImportResult {
  return { kind: 'ended', status: found.status === 'failed' ? 'failed' : 'finished', rows: found.rows };
}

function readImport(deps: ImportDeps, run: ImportRun): Promise<ContactImport | null> {
  return withAccount(deps.db, run.accountId, (trx) => findImport(trx, run.importId));
}

/** The content piece by piece; the next is fetched while one is being read. */
async function* piecesOf(deps: ImportDeps, run: ImportRun): AsyncGenerator<Buffer> {
  const fetch = (piece: number): Promise<Buffer | null> => {
    const content = withAccount(deps.db, run.accountId, (trx) => readPiece(trx, run.importId, piece));
    // It is awaited one piece later; until then a failure must not count as unhandled.
    content.catch(() => undefined);
    return content;
  };
  let ahead = fetch(0);
  for (let piece = 1; ; piece += 1) {
    const content = await ahead;
    if (content === null) return;
    ahead = fetch(piece);
    yield content;
  }
}

interface Work<Row> {
  readonly deps: ImportDeps;
  readonly run: ImportRun;
  readonly found: ContactImport;
  readonly subject: ImportSubject<Row>;
  readonly file: Extract<OpenedFile<Row>, { kind: 'file' }>;
}

async function importFile<Row>(work: Work<Row>): Promise<RunResult> {
  const { deps, run, found, subject, file } = work;
  const opened = await openImportTransaction({
    pool: deps.pool,
    writer: subject.writer,
    accountId: run.accountId,
    importId: run.importId,
    listIds: found.listIds,
  });
  if (opened.kind === 'busy' || opened.kind === 'fault') return opened;
  if (opened.kind === 'over') return { kind: 'done' };
  const { transaction } = opened;
  const progress = createProgress(work);
  try {
    const counts = await writeFile(work, transaction, progress);
    await progress.settled();
    await transaction.finish({
      counts,
      format: file.format(),
      mapping: file.mapping,
      onBeforeCommit: () => deps.crash?.('import.before_commit'),
    });
    deps.crash?.('import.committed');
    return { kind: 'done' };
  } finally {
    await progress.settled();
    transaction.abandon();
  }
}

/** Reads on while PostgreSQL writes the batch before, one batch ahead at most. */
async function writeFile<Row>(
  work: Work<Row>,
  transaction: ImportTransaction<Row>,
  progress: Progress,
): Promise<ImportCounts> {
  const { deps, run, subject, file } = work;
  const counts = { read: 0, imported: 0, created: 0, merged: 0, refused: 0 };
  let rows = new Map<string, Row>();
  let refusals: RefusedRow[] = [];
  let flushedBytes = 0;
  let writing = Promise.resolve();
  const add = ({ created, again }: BatchCounts): void => {
    counts.created += created;
    counts.merged += again;
    counts.imported -= again;
  };
  const write = async (
    size: number,
    encoded: readonly Buffer[],
    refused: readonly RefusedRow[],
  ): Promise<void> => {
    if (size > 0) {
      counts.imported += size;
      add(await transaction.writeRows(encoded));
    }
    if (refused.length > 0) await transaction.writeRefusals(refused);
    deps.crash?.('import.batch_written');
  };
  const flush = async (): Promise<void> => {
    // Encoded while PostgreSQL is still at work on the batch before.
    const encoded = transaction.encode(rows.values());
    await writing;
    writing = write(rows.size, encoded, refusals);
    writing.catch(() => undefined);
    rows = new Map();
    refusals = [];
  };
  for await (const chunk of file.chunks) {
    run.signal?.throwIfAborted();
    for (const row of chunk.rows) {
      const key = subject.keyOf(row);
      const earlier = rows.get(key);
      if (earlier !== undefined) counts.merged += 1;
      rows.set(key, earlier === undefined ? row : subject.merge(earlier, row));
    }
    for (const row of chunk.refusals) refusals.push(row);
    counts.read += chunk.rows.length + chunk.refusals.length;
    counts.refused += chunk.refusals.length;
    const isFull = rows.size + refusals.length >= BATCH_ROWS_MAX;
    if (isFull || chunk.bytesRead - flushedBytes >= BATCH_BYTES_MAX) {
      flushedBytes = chunk.bytesRead;
      await flush();
    }
    progress.report({ bytesRead: chunk.bytesRead, rowsRead: counts.read, rowsRefused: counts.refused });
  }
  await flush();
  await writing;
  add(await transaction.completeRows());
  return counts;
}

interface Progress {
  report(at: { bytesRead: number; rowsRead: number; rowsRefused: number }): void;
  settled(): Promise<void>;
}

/** Progress is written through another connection, since this import's own shows nothing before it commits. */
function createProgress<Row>({ deps, run, file }: Work<Row>): Progress {
  let writing: Promise<void> | null = null;
  let reportedAt = Number.NEGATIVE_INFINITY;
  return {
    report: (at) => {
      const now = performance.now();
      if (writing !== null || now - reportedAt < PROGRESS_INTERVAL_MS) return;
      reportedAt = now;
      run.onProgress?.(at.rowsRead);
      const { mapping } = file;
      const record = { ...at, format: file.format(), mapping };
      writing = withAccount(deps.db, run.accountId, (trx) => recordProgress(trx, run.importId, record))
        // Only the view of the run depends on it; what is wrong with the database the run itself will meet.
        .catch(() => undefined)
        .finally(() => {
          writing = null;
        });
    },
    settled: async () => {
      await writing;
    },
  };
}

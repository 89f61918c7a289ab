import { sql } from 'kysely';
import type { ColumnMapping } from '../domain/csv-format.ts';
import type { FileFormat, ImportFault, ImportStatus } from '../domain/import/import-plan.ts';
import type { SuppressionKind } from '../domain/suppression.ts';
import type { Trx } from './database.ts';
import { noteFailure } from './imports/import-end.ts';
import { newId } from './ids.ts';
import { type Listed, type Order, orderOf, type Part } from './listing.ts';

/** What became of a file's rows: `read` is the sum of `imported`, `merged` and `refused`. */
export interface ImportCounts {
  readonly read: number;
  /** Contacts created or changed. */
  readonly imported: number;
  /** Those of them that did not exist before. */
  readonly created: number;
  /** Rows that a later row about the same number was merged with. */
  readonly merged: number;
  readonly refused: number;
}

/** An import of a file. */
export interface ContactImport {
  readonly id: string;
  readonly subject: 'contacts' | 'suppressions';
  /** What rows of suppressions mean that name no kind. */
  readonly suppressionKind: SuppressionKind | null;
  readonly suppressionReason: string | null;
  readonly listIds: readonly string[];
  readonly mapping: ColumnMapping | null;
  readonly defaultCountry: string;
  readonly status: ImportStatus;
  readonly format: FileFormat | null;
  readonly bytes: number;
  readonly bytesRead: number;
  readonly rows: ImportCounts;
  readonly error: ImportFault | null;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
  readonly version: number;
}

/** What an import is asked to do. */
export interface NewImport {
  readonly accountId: string;
  /** Contacts unless suppressions are named. */
  readonly suppressions?: { readonly kind: SuppressionKind; readonly reason: string | null };
  readonly listIds: readonly string[];
  readonly mapping: ColumnMapping | null;
  readonly defaultCountry: string;
  readonly createdBy: string;
}

const COLUMNS = [
  'id',
  'subject',
  'suppression_kind',
  'suppression_reason',
  'list_ids',
  'mapping',
  'default_country',
  'status',
  'format',
  'bytes',
  'bytes_read',
  'rows_read',
  'rows_imported',
  'rows_created',
  'rows_merged',
  'rows_refused',
  'error',
  'created_by',
  'created_at',
  'finished_at',
  'version',
] as const;

/** Makes an import that waits for its content. Resolves with its id. */
export async function insertImport(trx: Trx, given: NewImport): Promise<string> {
  const id = newId('imp');
  await trx
    .insertInto('imports')
    .values({
      id,
      account_id: given.accountId,
      subject: given.suppressions === undefined ? 'contacts' : 'suppressions',
      suppression_kind: given.suppressions?.kind ?? null,
      suppression_reason: given.suppressions?.reason ?? null,
      list_ids: [...given.listIds],
      mapping: given.mapping === null ? null : JSON.stringify(given.mapping),
      default_country: given.defaultCountry,
      status: 'waiting',
      created_by: given.createdBy,
    })
    .execute();
  return id;
}

/** The import, or null if the account has none with this id. */
export async function findImport(trx: Trx, id: string): Promise<ContactImport | null> {
  const row = await trx.selectFrom('imports').where('id', '=', id).select(COLUMNS).executeTakeFirst();
  return row === undefined ? null : importOf(row);
}

/** What imports can be sorted by. */
export const IMPORT_SORTS = ['createdAt', 'status', 'rowsRead', 'rowsRefused'] as const;

/** Which imports; several values of a filter are joined by or. */
export interface ImportQuery extends Order<(typeof IMPORT_SORTS)[number]>, Part {
  readonly subject?: ContactImport['subject'];
  readonly statuses?: readonly ImportStatus[];
  readonly listIds?: readonly string[];
  readonly createdFrom?: Date;
  readonly createdTo?: Date;
}

/** A page of imports, and how many there are in all. */
export async function listImports(trx: Trx, query: ImportQuery): Promise<Listed<ContactImport>> {
  let rows = trx.selectFrom('imports');
  if (query.subject !== undefined) rows = rows.where('subject', '=', query.subject);
  if (query.statuses !== undefined) rows = rows.where('status', 'in', query.statuses);
  if (query.listIds !== undefined) {
    rows = rows.where(sql<boolean>`list_ids && ${[...query.listIds]}::text[]`);
  }
  if (query.createdFrom !== undefined) rows = rows.where('created_at', '>=', query.createdFrom);
  if (query.createdTo !== undefined) rows = rows.where('created_at', '<', query.createdTo);
  const sorts = {
    createdAt: sql.ref('created_at'),
    status: sql.ref('status'),
    rowsRead: sql.ref('rows_read'),
    rowsRefused: sql.ref('rows_refused'),
  };
  const [{ total }, items] = await Promise.all([
    rows.select((select) => select.fn.countAll<number>().as('total')).executeTakeFirstOrThrow(),
    rows
      .select(COLUMNS)
      .orderBy(orderOf(sorts[query.sort], query))
      .limit(query.limit)
      .offset(query.offset)
      .execute(),
  ]);
  return { items: items.map(importOf), total };
}

/**
 * Writes how far a run has come, so that it can be read while the contacts themselves are not yet committed.
 * A run that is over, or another process's, is never touched: only a running import has progress.
 */
export async function recordProgress(
  trx: Trx,
  id: string,
  progress: {
    readonly bytesRead: number;
    readonly rowsRead: number;
    readonly rowsRefused: number;
    readonly format: FileFormat | null;
    readonly mapping: ColumnMapping | null;
  },
): Promise<void> {
  await trx
    .updateTable('imports')
    .set({
      status: 'running',
      bytes_read: progress.bytesRead,
      rows_read: progress.rowsRead,
      rows_refused: progress.rowsRefused,
      ...(progress.format === null ? {} : { format: JSON.stringify(progress.format) }),
      ...(progress.mapping === null ? {} : { mapping: JSON.stringify(progress.mapping) }),
    })
    .where('id', '=', id)
    .where('status', 'in', ['queued', 'running'])
    .execute();
}

/** Ends an import that cannot be: nothing of its file has been imported, and its content is removed. */
export async function failImport(trx: Trx, accountId: string, id: string, error: ImportFault): Promise<void> {
  const { numUpdatedRows } = await trx
    .updateTable('imports')
    .set((set) => ({
      status: 'failed',
      error: JSON.stringify(error),
      finished_at: sql<Date>`clock_timestamp()`,
      version: set('version', '+', 1),
    }))
    .where('id', '=', id)
    .where('status', 'in', ['queued', 'running'])
    .executeTakeFirst();
  if (numUpdatedRows !== 1n) return;
  await trx.deleteFrom('import_pieces').where('import_id', '=', id).execute();
  await noteFailure(trx, { accountId, importId: id }, error);
}

/** Whether an import that has its content is to fill this list. One that only waits for content keeps no list. */
export async function isListImportedInto(trx: Trx, listId: string): Promise<boolean> {
  const row = await trx
    .selectFrom('imports')
    .where('status', 'in', ['queued', 'running'])
    .where(sql<boolean>`${listId} = any(list_ids)`)
    .select('id')
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

interface ImportRow {
  readonly id: string;
  readonly subject: string;
  readonly suppression_kind: string | null;
  readonly suppression_reason: string | null;
  readonly list_ids: string[];
  readonly mapping: Record<string, string> | null;
  readonly default_country: string;
  readonly status: string;
  readonly format: Record<string, unknown> | null;
  readonly bytes: number;
  readonly bytes_read: number;
  readonly rows_read: number;
  readonly rows_imported: number;
  readonly rows_created: number;
  readonly rows_merged: number;
  readonly rows_refused: number;
  readonly error: Record<string, unknown> | null;
  readonly created_by: string;
  readonly created_at: Date;
  readonly finished_at: Date | null;
  readonly version: number;
}

function importOf(row: ImportRow): ContactImport {
  return {
    id: row.id,
    listIds: row.list_ids,
    // These were written by this module from values of just these types.
    subject: row.subject as ContactImport['subject'],
    suppressionKind: row.suppression_kind as SuppressionKind | null,
    suppressionReason: row.suppression_reason,
    mapping: row.mapping as ColumnMapping | null,
    defaultCountry: row.default_country,
    status: row.status as ImportStatus,
    format: row.format as FileFormat | null,
    bytes: row.bytes,
    bytesRead: row.bytes_read,
    rows: {
      read: row.rows_read,
      imported: row.rows_imported,
      created: row.rows_created,
      merged: row.rows_merged,
      refused: row.rows_refused,
    },
    error: row.error as ImportFault | null,
    createdBy: row.created_by,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
    version: row.version,
  };
}

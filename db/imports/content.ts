import type { ContactImport } from '../imports.ts';
import type { Trx } from '../database.ts';
import { findImport } from '../imports.ts';

/** How many bytes of a file one row holds; the last may hold fewer. */
export const PIECE_BYTES = 256 * 1024;

/** One upload of an import's content. A later upload takes its place, and this one can write no more. */
export interface Upload {
  readonly accountId: string;
  readonly importId: string;
  readonly version: number;
}

/** An upload may begin while the import waits for content; whatever an earlier, broken-off one left is removed. */
export async function beginUpload(
  trx: Trx,
  accountId: string,
  importId: string,
): Promise<
  | { readonly kind: 'upload'; readonly upload: Upload }
  | { readonly kind: 'refused'; found: ContactImport | null }
> {
  const row = await trx
    .updateTable('imports')
    .set((set) => ({ version: set('version', '+', 1) }))
    .where('id', '=', importId)
    .where('status', '=', 'waiting')
    .returning('version')
    .executeTakeFirst();
  if (row === undefined) return { kind: 'refused', found: await findImport(trx, importId) };
  await trx.deleteFrom('import_pieces').where('import_id', '=', importId).execute();
  return { kind: 'upload', upload: { accountId, importId, version: row.version } };
}

/** Keeps one piece, counted from 0. False when another upload has taken this one's place. */
export async function appendPiece(
  trx: Trx,
  upload: Upload,
  piece: number,
  content: Buffer,
): Promise<boolean> {
  // The lock keeps a newer upload from removing the old pieces between this look and the insert.
  const row = await trx
    .selectFrom('imports')
    .where('id', '=', upload.importId)
    .where('status', '=', 'waiting')
    .where('version', '=', upload.version)
    .select('id')
    .forShare()
    .executeTakeFirst();
  if (row === undefined) return false;
  await trx
    .insertInto('import_pieces')
    .values({ account_id: upload.accountId, import_id: upload.importId, piece, content })
    .execute();
  return true;
}

/** Ends the upload: from now on the import wants to run. False when another upload has taken its place. */
export async function finishUpload(trx: Trx, upload: Upload, bytes: number): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('imports')
    .set((set) => ({ status: 'queued', bytes, version: set('version', '+', 1) }))
    .where('id', '=', upload.importId)
    .where('status', '=', 'waiting')
    .where('version', '=', upload.version)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

/** One piece of the content, counted from 0; null after the last. */
export async function readPiece(trx: Trx, importId: string, piece: number): Promise<Buffer | null> {
  const row = await trx
    .selectFrom('import_pieces')
    .where('import_id', '=', importId)
    .where('piece', '=', piece)
    .select('content')
    .executeTakeFirst();
  return row?.content ?? null;
}

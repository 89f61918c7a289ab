import type { Readable } from 'node:stream';
import { type Db, withAccount } from '../db/database.ts';
import { appendPiece, beginUpload, finishUpload, PIECE_BYTES } from '../db/imports/content.ts';
import type { Caller } from './authentication.ts';
import { logChange } from './log-change.ts';
import { notFound, Problem } from './problem.ts';

/**
 * Keeps a stream of any size in the database, piece by piece, holding one piece at a time: the sender is read only
 * as fast as the database writes. If the stream breaks off the import goes on waiting, and the next upload
 * removes what this one has left. Throws a Problem when the import does not wait for content.
 */
export async function keepContent(
  db: Db,
  caller: Pick<Caller, 'accountId' | 'actor'>,
  importId: string,
  content: Readable,
  /** Throws when the import is not any more what the caller has seen. */
  checkVersion: (version: number) => void = () => undefined,
): Promise<void> {
  const { accountId } = caller;
  const begun = await withAccount(db, accountId, async (trx) => {
    const upload = await beginUpload(trx, accountId, importId);
    // Beginning has locked the import and raised its version by one.
    if (upload.kind === 'upload') checkVersion(upload.upload.version - 1);
    return upload;
  });
  if (begun.kind === 'refused') {
    throw begun.found === null ? notFound('import') : notWaiting();
  }
  const { upload } = begun;
  let pieces = 0;
  let bytes = 0;
  for await (const piece of piecesOf(content)) {
    const index = pieces;
    const kept = await withAccount(db, accountId, (trx) => appendPiece(trx, upload, index, piece));
    if (!kept) throw notWaiting();
    pieces += 1;
    bytes += piece.length;
  }
  if (bytes === 0) {
    throw emptyContent();
  }
  await withAccount(db, accountId, async (trx) => {
    if (!(await finishUpload(trx, upload, bytes))) throw notWaiting();
    await logChange(trx, caller, { kind: 'import', id: importId }, { what: 'upload', detail: { bytes } });
  });
}

async function* piecesOf(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of content) {
    waiting.push(chunk);
    bytes += chunk.length;
    if (bytes < PIECE_BYTES) continue;
    const all = Buffer.concat(waiting);
    let from = 0;
    for (; all.length - from >= PIECE_BYTES; from += PIECE_BYTES)
      yield all.subarray(from, from + PIECE_BYTES);
    waiting = [all.subarray(from)];
    bytes = all.length - from;
  }
  if (bytes > 0) yield Buffer.concat(waiting);
}

/** There is no file in the body. */
export function emptyContent(): Problem {
  return new Problem('malformed-request', 'The body is empty. Send the file itself as the body.');
}

function notWaiting(): Problem {
  return new Problem(
    'action-not-allowed',
    'This import does not wait for this content: it has its content already, or another upload has taken this one’s place. Create a new import for another file.',
  );
}

import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { fileTypeFromBuffer } from 'file-type';
import { type Db, withAccount } from '../db/database.ts';
import { appendMediaPiece, beginMedia, discardMedia, MEDIA_PIECE_BYTES } from '../db/media.ts';
import { Problem } from './problem.ts';

/** All media of an MMS together; Plivo's limit. */
export const MEDIA_BYTES_MAX = 5_000_000;
/** What Plivo takes in an MMS, as far as bytes can tell. */
const CONTENT_TYPES = [
  'image/jpeg',
  'image/png',
  'image/gif',
  'video/mp4',
  'video/3gpp',
  'audio/mpeg',
  'audio/ogg',
  'application/pdf',
];

/** Media whose bytes are all kept, to be published or discarded. */
export interface StagedMedia {
  readonly id: string;
  readonly contentType: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/**
 * Keeps a stream of media piece by piece, holding one at a time, with nothing visible yet. The kind is found from the
 * first bytes, before any is kept, whatever name or type they came under. Throws a Problem for what the carrier does
 * not take, and leaves nothing behind; of a process that dies in between the sweep removes what is left.
 */
export async function stageMedia(db: Db, accountId: string, content: Readable): Promise<StagedMedia> {
  const hash = createHash('sha256');
  let staged: { readonly id: string; readonly contentType: string } | null = null;
  let bytes = 0;
  let pieces = 0;
  try {
    for await (const piece of piecesOf(content)) {
      bytes += piece.length;
      if (bytes > MEDIA_BYTES_MAX) throw tooLarge();
      if (staged === null) {
        const contentType = await kindOf(piece);
        const id = await withAccount(db, accountId, (trx) => beginMedia(trx, accountId, contentType));
        staged = { id, contentType };
      }
      const kept = { accountId, mediaId: staged.id, piece: pieces, content: piece };
      await withAccount(db, accountId, (trx) => appendMediaPiece(trx, kept));
      hash.update(piece);
      pieces += 1;
    }
  } catch (error) {
    const { id } = staged ?? {};
    if (id !== undefined) await withAccount(db, accountId, (trx) => discardMedia(trx, id));
    // What still arrives is read and forgotten, so that the sender gets his answer.
    content.resume();
    throw error;
  }
  if (staged === null)
    throw new Problem('malformed-request', 'The body is empty. Send the bytes as the body.');
  return { ...staged, bytes, sha256: hash.digest('hex') };
}

/** The body is larger than the carrier takes. */
export function tooLarge(): Problem {
  return new Problem(
    'body-too-large',
    `The carrier takes ${MEDIA_BYTES_MAX / 1_000_000} MB of media with a text at most. Send less.`,
  );
}

async function kindOf(beginning: Buffer): Promise<string> {
  const kind = await fileTypeFromBuffer(beginning);
  // A codec may stand behind the kind, as in "audio/ogg; codecs=opus".
  const contentType = kind?.mime.split(';')[0]?.trim() ?? '';
  if (CONTENT_TYPES.includes(contentType)) return contentType;
  throw new Problem(
    'not-acceptable-value',
    `Its bytes are none of what the carrier takes: ${CONTENT_TYPES.join(', ')}. Convert it first.`,
  );
}

async function* piecesOf(content: Readable): AsyncGenerator<Buffer> {
  let waiting: Buffer = Buffer.alloc(0);
  // An end before the last byte must not end the connection, over which the answer is still to go.
  const chunks: AsyncIterable<Buffer> = content.iterator({ destroyOnReturn: false });
  for await (const chunk of chunks) {
    waiting = waiting.length === 0 ? chunk : Buffer.concat([waiting, chunk]);
    while (waiting.length >= MEDIA_PIECE_BYTES) {
      yield waiting.subarray(0, MEDIA_PIECE_BYTES);
      waiting = waiting.subarray(MEDIA_PIECE_BYTES);
    }
  }
  if (waiting.length > 0) yield waiting;
}

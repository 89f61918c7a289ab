import { Readable } from 'node:stream';
import { Type } from 'typebox';
import { type Db, withAccountReading } from '../../db/database.ts';
import { findServedMedia, MEDIA_PIECE_BYTES, readMediaPiece, type ServedMedia } from '../../db/media.ts';
import { byteRangeOf } from '../byte-range.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { notFound, Problem, ProblemOutput } from '../problem.ts';

const IMMUTABLE = 'private, max-age=31536000, immutable';
const Bytes = Type.Unsafe<Readable>({ type: 'string', format: 'binary' });

/** Media for the carrier, under a path that cannot be guessed: whoever has it may fetch, nobody can run it. */
export function registerServedMedia(api: Api, deps: ApiDeps): void {
  api.get(
    '/media/:token',
    {
      config: { scope: 'public' },
      schema: {
        operationId: 'serveMedia',
        summary: 'Media for the carrier, under a path that cannot be guessed',
        tags: ['carrier'],
        security: [],
        params: Type.Object({ token: Type.String({ minLength: 32, maxLength: 32 }) }),
        produces: ['application/octet-stream'],
        response: {
          200: Bytes,
          206: Bytes,
          304: Type.Null(),
          400: ProblemOutput,
          404: ProblemOutput,
          416: ProblemOutput,
        },
      },
    },
    async (request, reply) => {
      const media = await findServedMedia(deps.db, request.params.token);
      if (media === null) throw notFound('media');
      const etag = `"${media.sha256}"`;
      reply.headers({
        etag,
        'cache-control': IMMUTABLE,
        'accept-ranges': 'bytes',
        // The bytes are somebody's: shown as what they are, and never run as a page of this host.
        'x-content-type-options': 'nosniff',
        'content-disposition': 'inline',
        'content-security-policy': "default-src 'none'; sandbox",
      });
      if (request.headers['if-none-match'] === etag) {
        reply.code(304);
        return null;
      }
      const range = byteRangeOf(request.headers.range, media.bytes);
      if (range.kind === 'outside') {
        reply.header('content-range', `bytes */${media.bytes}`);
        throw new Problem('range-not-satisfiable', `It has ${media.bytes} bytes. Ask for some of them.`);
      }
      const { first, last } = range;
      if (range.kind === 'part') {
        reply.code(206).header('content-range', `bytes ${first}-${last}/${media.bytes}`);
      }
      reply.type(media.contentType).header('content-length', last - first + 1);
      return Readable.from(bytesOf(deps.db, media, first, last));
    },
  );
}

/** Piece by piece, as fast as the carrier takes them. */
async function* bytesOf(
  db: Db,
  { id, accountId }: ServedMedia,
  first: number,
  last: number,
): AsyncGenerator<Buffer> {
  for (let from = first; from <= last;) {
    const piece = Math.floor(from / MEDIA_PIECE_BYTES);
    const content = await withAccountReading(db, accountId, (trx) => readMediaPiece(trx, id, piece));
    if (content === null) throw new Error('A piece of media is missing.');
    const begin = piece * MEDIA_PIECE_BYTES;
    yield content.subarray(from - begin, last - begin + 1);
    from = begin + MEDIA_PIECE_BYTES;
  }
}

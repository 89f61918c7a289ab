import { fileTypeFromBuffer } from 'file-type';
import { type Static, Type } from 'typebox';
import { withAccount } from '../../db/database.ts';
import { findMedia, findMediaContent, insertMedia, type Media } from '../../db/media.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { idempotent } from '../idempotency.ts';
import { logChange } from '../log-change.ts';
import { notFound, Problem, ProblemOutput, problems } from '../problem.ts';
import { idOf, idParams, INSTANT } from '../schemas/common.ts';

/** All media of an MMS together; Plivo's limit. */
const BYTES_MAX = 5_000_000;
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
const IMMUTABLE = 'private, max-age=31536000, immutable';

const MediaOutput = Type.Object({
  id: idOf('med'),
  contentType: Type.String({ examples: ['image/png'] }),
  bytes: Type.Integer(),
  createdAt: INSTANT,
});

/** Pictures and the like that are attached to messages. */
export function registerMediaRoutes(api: Api, deps: ApiDeps): void {
  api.register(async (scope: Api) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BYTES_MAX }, (_request, body, done) => {
      done(null, body);
    });
    addUpload(scope, deps);
  });

  api.get(
    '/v1/media/:id',
    {
      schema: {
        operationId: 'getMedia',
        summary: 'Read what is known of media',
        tags: ['account'],
        params: idParams('med'),
        response: { 200: MediaOutput, ...problems(404) },
      },
    },
    async (request) => {
      const media = await withAccount(deps.db, request.caller.accountId, (trx) =>
        findMedia(trx, request.params.id),
      );
      if (media === null) throw notFound('media');
      return viewOf(media);
    },
  );

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
          200: Type.Unsafe<Buffer>({ type: 'string', format: 'binary' }),
          400: ProblemOutput,
          404: ProblemOutput,
        },
      },
    },
    async (request, reply) => {
      const media = await findMediaContent(deps.db, request.params.token);
      if (media === null) throw notFound('media');
      return reply.type(media.contentType).header('cache-control', IMMUTABLE).send(media.content);
    },
  );
}

function addUpload(api: Api, deps: ApiDeps): void {
  api.post(
    '/v1/media',
    {
      config: { scope: 'write', takesFile: true },
      bodyLimit: BYTES_MAX,
      schema: {
        operationId: 'uploadMedia',
        summary: 'Upload media',
        description:
          'The raw bytes as the body, 5 MB at most. The kind is found from the bytes, whatever their name.',
        tags: ['account'],
        response: { 201: MediaOutput, ...problems(409, 413, 422) },
      },
    },
    async (request, reply) => {
      const content = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const kind = await fileTypeFromBuffer(content);
      if (kind === undefined || !CONTENT_TYPES.includes(kind.mime)) {
        throw new Problem(
          'not-acceptable-value',
          `The carrier takes ${CONTENT_TYPES.join(', ')} only. Convert it first.`,
        );
      }
      const { accountId } = request.caller;
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const id = await insertMedia(trx, { accountId, contentType: kind.mime, content });
        const media = await findMedia(trx, id);
        if (media === null) throw notFound('media');
        const { contentType, bytes } = media;
        await logChange(
          trx,
          request.caller,
          { kind: 'media', id },
          { what: 'create', to: { contentType, bytes } },
        );
        return { status: 201, body: viewOf(media) };
      });
      return body;
    },
  );
}

function viewOf(media: Media): Static<typeof MediaOutput> {
  return {
    id: media.id,
    contentType: media.contentType,
    bytes: media.bytes,
    createdAt: media.createdAt.toISOString(),
  };
}

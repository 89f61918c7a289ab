import { type Static, Type } from 'typebox';
import { withAccount, withAccountReading } from '../../db/database.ts';
import {
  discardMedia,
  findMedia,
  listMedia,
  MEDIA_SORTS,
  MEDIA_GRACE_MS,
  type Media,
  publishMedia,
} from '../../db/media.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { idempotent } from '../idempotency.ts';
import { logChange } from '../log-change.ts';
import { orderIn, severalOf, sortedBy } from '../list-query.ts';
import { MEDIA_BYTES_MAX, stageMedia, tooLarge } from '../media-upload.ts';
import { PageQuery, pageOf, rangeOf, toPage } from '../pages.ts';
import { notFound, Problem, problems } from '../problem.ts';
import { idOf, idParams, INSTANT, nullable } from '../schemas/common.ts';

const MediaQuery = Type.Object(
  {
    ...PageQuery.properties,
    contentType: severalOf(Type.String({ pattern: '^[a-z]+/[a-z0-9.+-]+$', maxLength: 100 }), {
      maxItems: 20,
    }),
    ...sortedBy(MEDIA_SORTS, 'desc'),
  },
  { additionalProperties: false },
);
const MediaOutput = Type.Object({
  id: idOf('med'),
  contentType: Type.String({ description: 'As its bytes say.', examples: ['image/png'] }),
  bytes: Type.Integer(),
  createdAt: INSTANT,
  campaigns: Type.Integer({ description: 'How many campaigns use it.' }),
  unusedSince: nullable(INSTANT),
  removedFrom: nullable(
    Type.String({ description: 'When it is removed at the earliest, unless a campaign uses it until then.' }),
  ),
});

/** Pictures and the like that are attached to messages. */
export function registerMediaRoutes(api: Api, deps: ApiDeps): void {
  // The content's type says nothing reliable about it, so every type is taken, and none is read into memory.
  api.register(async (scope: Api) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
    addUpload(scope, deps);
  });

  api.get(
    '/v1/media',
    {
      schema: {
        operationId: 'listMedia',
        summary: 'List media',
        description: 'With how many campaigns use each, and when those that none uses are removed.',
        tags: ['account'],
        querystring: MediaQuery,
        response: { 200: pageOf(MediaOutput), ...problems() },
      },
    },
    async (request) => {
      const range = rangeOf(request.query);
      const { contentType } = request.query;
      const query = {
        ...(contentType === undefined ? {} : { contentTypes: contentType }),
        ...orderIn(MEDIA_SORTS, 'desc', request.query),
        ...range,
      };
      const { items, total } = await withAccountReading(deps.db, request.caller.accountId, (trx) =>
        listMedia(trx, query),
      );
      return toPage(items.map(viewOf), total, range);
    },
  );

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
}

function addUpload(api: Api, deps: ApiDeps): void {
  api.post(
    '/v1/media',
    {
      config: { scope: 'write', takesFile: true },
      schema: {
        operationId: 'uploadMedia',
        summary: 'Upload media',
        description:
          'The raw bytes as the body, 5 MB at most. The kind is found from the bytes, whatever their name or type. It is removed a day after the last campaign that used it is gone, or a day after the upload if none ever did.',
        tags: ['account'],
        response: { 201: MediaOutput, ...problems(409, 413, 415, 422) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') {
        throw new Problem('unsupported-media-type', 'Send the bytes without Content-Encoding.');
      }
      if (Number(request.headers['content-length'] ?? 0) > MEDIA_BYTES_MAX) throw tooLarge();
      const staged = await stageMedia(deps.db, accountId, request.raw);
      const { id, contentType, bytes, sha256 } = staged;
      try {
        const { body } = await idempotent(
          deps,
          request,
          reply,
          async (trx) => {
            await publishMedia(trx, id, { bytes, sha256 });
            const media = await findMedia(trx, id);
            if (media === null) throw notFound('media');
            const change = { what: 'create', to: { contentType, bytes } };
            await logChange(trx, request.caller, { kind: 'media', id }, change);
            return { status: 201, body: viewOf(media) };
          },
          sha256,
        );
        return body;
      } finally {
        // Nothing is left of it unless it has been published: a repeated request has the first one's.
        await withAccount(deps.db, accountId, (trx) => discardMedia(trx, id));
      }
    },
  );
}

function viewOf(media: Media): Static<typeof MediaOutput> {
  const { id, contentType, bytes, createdAt, campaigns } = media;
  // Between two sweeps the mark can be older than the use.
  const unusedSince = campaigns > 0 ? null : media.unusedSince;
  return {
    id,
    contentType,
    bytes,
    createdAt: createdAt.toISOString(),
    campaigns,
    unusedSince: unusedSince?.toISOString() ?? null,
    removedFrom: unusedSince === null ? null : new Date(unusedSince.getTime() + MEDIA_GRACE_MS).toISOString(),
  };
}

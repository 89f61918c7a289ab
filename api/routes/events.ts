import type { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import { findCampaign } from '../../db/campaigns.ts';
import { withAccount } from '../../db/database.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { createEventHub, type EventHub } from '../events/event-hub.ts';
import { createEventStream } from '../events/event-stream.ts';
import { notFound, Problem, problems } from '../problem.ts';
import { idParams } from '../schemas/common.ts';

const READERS_MAX = 5_000;
const READERS_OF_ACCOUNT_MAX = 2_000;
const EVENT_ID = /^\d{1,15}$/;

const EventsQuery = Type.Object(
  {
    follow: Type.Optional(
      Type.Boolean({ description: 'false ends the stream when it has told what has happened so far.' }),
    ),
    lastEventId: Type.Optional(
      Type.String({
        pattern: '^[0-9]{1,15}$',
        description: 'The same as the header Last-Event-ID, for whoever cannot send one.',
      }),
    ),
  },
  { additionalProperties: false },
);
// Each event is one of its own, so the stream as a whole has no shape to hold it to.
const EventsAnswer = Type.Unsafe<Readable>({ description: 'Server-sent events.' });

const WAYS =
  'Events: `status`, `log`, `alert` with ids in the order in which they were committed, and `progress` without one, ' +
  'two a second a campaign at most. `log` and `alert` have the fields that the log and the list of alerts have. Come back with the last id as Last-Event-ID and nothing is lost or repeated; ' +
  '`reset` says that it is older than what is kept (24 hours). A line that begins with a colon is a heartbeat.';

/** Server-sent events: what happens in an account or with a campaign, as it happens. */
export function registerEventRoutes(api: Api, deps: ApiDeps): void {
  const hub = createEventHub(deps.db, (error) => {
    api.log.error({ kind: error instanceof Error ? error.name : 'unknown' }, 'Live events could not be read');
  });
  // Streams never end by themselves, so a server that stops in order ends them first.
  api.addHook('preClose', () => hub.close());

  api.get(
    '/v1/events',
    {
      // A stream without a body would never end.
      exposeHeadRoute: false,
      config: { scope: 'read', orInstallation: true, forParents: 'reports' },
      schema: {
        operationId: 'followEvents',
        summary: 'Follow what happens in the account',
        description: WAYS,
        tags: ['oversight'],
        querystring: EventsQuery,
        produces: ['text/event-stream'],
        response: { 200: EventsAnswer, ...problems() },
      },
    },
    (request, reply) => open(deps, hub, request, reply, null),
  );

  api.get(
    '/v1/campaigns/:id/events',
    {
      exposeHeadRoute: false,
      config: { forParents: 'reports' },
      schema: {
        operationId: 'followCampaignEvents',
        summary: 'Follow what happens with a campaign',
        description: WAYS,
        tags: ['oversight'],
        params: idParams('cmp'),
        querystring: EventsQuery,
        produces: ['text/event-stream'],
        response: { 200: EventsAnswer, ...problems(404) },
      },
    },
    async (request, reply) => {
      const campaign = await withAccount(deps.db, request.caller.accountId, (trx) =>
        findCampaign(trx, request.params.id),
      );
      if (campaign === null) throw notFound('campaign');
      return open(deps, hub, request, reply, campaign.id);
    },
  );
}

function open(
  deps: ApiDeps,
  hub: EventHub,
  request: FastifyRequest<{ Querystring: Static<typeof EventsQuery> }>,
  reply: FastifyReply,
  campaignId: string | null,
): Readable {
  const { accountId, keyId } = request.caller;
  if (hub.size() >= READERS_MAX || hub.readersOf(accountId) >= READERS_OF_ACCOUNT_MAX) {
    throw new Problem('too-many-readers', 'Too many streams are open. Close some, or come back later.', {
      retryAfterS: 30,
    });
  }
  const { follow, lastEventId } = request.query;
  const header = request.headers['last-event-id'];
  if (header !== undefined && (typeof header !== 'string' || !EVENT_ID.test(header))) {
    throw new Problem('malformed-request', 'Last-Event-ID is the id of an event: digits only. Correct it.');
  }
  const seen = header ?? lastEventId;
  reply.header('content-type', 'text/event-stream; charset=utf-8');
  reply.header('cache-control', 'no-store');
  reply.header('x-accel-buffering', 'no');
  return createEventStream(
    { db: deps.db, hub, cut: () => reply.raw.destroy() },
    {
      accountId,
      campaignId,
      keyId,
      lastEventId: seen === undefined ? null : Number(seen),
      follow: follow ?? true,
    },
  );
}

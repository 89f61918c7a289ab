import { randomUUID, timingSafeEqual } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Ledger, LedgerEntry } from './ledger.ts';
import type { Fault } from './magic-numbers.ts';
import type { MessageDesk, SendOrder } from './message-desk.ts';
import type { SandboxSettings } from './settings.ts';
import { createWindow } from './sliding-window.ts';

/** What the message API needs. */
interface MessageRouteDeps {
  readonly authId: string;
  readonly authToken: string;
  readonly settings: SandboxSettings;
  readonly ledger: Ledger;
  readonly desk: MessageDesk;
}

const NUMBERS_MAX = 1_000;
const TEXT_UNITS_MAX = 1_600;
const MEDIA_MAX = 10;
const LIST_LIMIT_MAX = 20;
const HANG_MS = 60_000;
const WINDOW_MS = 5_000;
const MINUTE_MS = 60_000;

/** Plivo's message API: send one or many, read one, list. */
export function registerMessageRoutes(app: FastifyInstance, deps: MessageRouteDeps): void {
  const requests = createWindow(WINDOW_MS);
  const lists = createWindow(MINUTE_MS);
  let atOnce = 0;

  app.post<{ Params: { authId: string }; Body: unknown }>(
    '/v1/Account/:authId/Message/',
    async (request, reply) => {
      if (!isAuthenticated(request, deps)) return refuse(reply, 401, 'Authentication Failed');
      const limit = deps.settings.requestsPer5s;
      if ((limit !== null && !requests.take(limit)) || atOnce >= deps.settings.requestsAtOnceMax) {
        reply.header('retry-after', '1');
        return refuse(reply, 429, 'Too many requests');
      }
      const read = readOrder(request.body);
      if ('error' in read) return refuse(reply, 400, read.error);
      atOnce += 1;
      try {
        return await answerSend(request, reply, deps, read);
      } finally {
        atOnce -= 1;
      }
    },
  );

  app.get<{ Params: { uuid: string } }>('/v1/Account/:authId/Message/:uuid/', (request, reply) => {
    if (!isAuthenticated(request, deps)) return refuse(reply, 401, 'Authentication Failed');
    const entry = deps.ledger.entries.get(request.params.uuid);
    return entry === undefined
      ? refuse(reply, 404, 'not found')
      : { api_id: randomUUID(), ...recordOf(entry) };
  });

  app.get<{ Querystring: Record<string, string> }>('/v1/Account/:authId/Message/', (request, reply) => {
    if (!isAuthenticated(request, deps)) return refuse(reply, 401, 'Authentication Failed');
    if (!lists.take(deps.settings.listsPerMinute)) {
      reply.header('retry-after', '3');
      return refuse(reply, 429, 'Too many requests');
    }
    return listOf(deps.ledger, request.query);
  });
}

function isAuthenticated(request: FastifyRequest, deps: MessageRouteDeps): boolean {
  const wanted = Buffer.from(`Basic ${Buffer.from(`${deps.authId}:${deps.authToken}`).toString('base64')}`);
  const given = Buffer.from(request.headers.authorization ?? '');
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}

function refuse(reply: FastifyReply, status: number, error: string): FastifyReply {
  return reply.code(status).send({ api_id: randomUUID(), error });
}

function readOrder(body: unknown): (SendOrder & { invalid: string[] }) | { error: string } {
  if (typeof body !== 'object' || body === null) return { error: 'the body has to be a JSON object' };
  const fields: Record<string, unknown> = { ...body };
  const text = typeof fields['text'] === 'string' ? fields['text'] : '';
  const src = typeof fields['src'] === 'string' ? fields['src'] : '';
  const media = Array.isArray(fields['media_urls']) ? fields['media_urls'] : [];
  const { dst: wanted } = fields;
  const raw = Array.isArray(wanted) ? wanted.join('<') : typeof wanted === 'string' ? wanted : '';
  const given = [...new Set(raw.split('<').map((number) => number.trim()))].filter((number) => number !== '');
  if (src === '') return { error: 'src is required' };
  if (given.length === 0) return { error: 'dst is required' };
  if (given.length > NUMBERS_MAX) return { error: `dst has more than ${NUMBERS_MAX} numbers` };
  if (text.length > TEXT_UNITS_MAX) return { error: 'text is too long' };
  if (text === '' && media.length === 0) return { error: 'text is required' };
  if (media.length > MEDIA_MAX) return { error: `media_urls has more than ${MEDIA_MAX} entries` };
  const isNumber = (number: string): boolean => /^\+?[1-9][0-9]{7,14}$/.test(number);
  const dst = given.filter(isNumber).map((number) => (number.startsWith('+') ? number : `+${number}`));
  const invalid = given.filter((number) => !isNumber(number));
  if (dst.length === 0) return { error: 'no valid dst' };
  const callbackUrl = typeof fields['url'] === 'string' ? fields['url'] : null;
  return { src, dst, text, kind: media.length > 0 ? 'mms' : 'sms', callbackUrl, invalid };
}

async function answerSend(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: MessageRouteDeps,
  order: SendOrder & { readonly invalid: readonly string[] },
): Promise<FastifyReply> {
  const fault = deps.desk.nextFault(order);
  if (fault !== null) return answerFault(request, reply, deps, order, fault);
  const uuids = deps.desk.accept(order);
  return reply.code(202).send({
    api_id: randomUUID(),
    message: 'message(s) queued',
    message_uuid: uuids,
    ...(order.invalid.length === 0 ? {} : { invalid_number: order.invalid }),
  });
}

async function answerFault(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: MessageRouteDeps,
  order: SendOrder,
  fault: Fault,
): Promise<FastifyReply> {
  if (fault.endsWith('accepted')) deps.desk.accept(order);
  switch (fault) {
    case 'http_400':
      return refuse(reply, 400, 'invalid message');
    case 'http_401':
      return refuse(reply, 401, 'Authentication Failed');
    case 'http_402':
      return refuse(reply, 402, 'insufficient credit');
    case 'http_403':
      return refuse(reply, 403, 'forbidden');
    case 'http_429':
      reply.header('retry-after', '1');
      return refuse(reply, 429, 'Too many requests');
    case 'http_500':
      return refuse(reply, 500, 'internal error');
    case 'http_503':
      return refuse(reply, 503, 'unavailable');
    case 'http_500_html_accepted':
      return reply.code(500).type('text/html').send('<html><body>Bad gateway</body></html>');
    case 'empty_accepted':
      return reply.code(202).send();
    case 'truncated_accepted':
      return reply.code(202).type('application/json').send('{"message":"message(s) que');
    case 'hang_accepted':
      await delay(HANG_MS, undefined, { ref: false });
      return reply.code(202).send({});
    case 'reset_accepted':
    case 'reset_before':
      request.raw.socket.resetAndDestroy();
      return reply.hijack();
  }
}

function recordOf(entry: LedgerEntry): Record<string, unknown> {
  return {
    message_uuid: entry.uuid,
    from_number: entry.src,
    to_number: entry.dst.replace('+', ''),
    message_direction: 'outbound',
    message_state: entry.final ?? 'queued',
    message_type: entry.kind,
    message_time: new Date(entry.time).toISOString().replace('T', ' ').replace('Z', '+00:00'),
    units: entry.units,
    total_amount: (entry.costMicroUsd / 1_000_000).toFixed(5),
    error_code: entry.errorCode,
  };
}

function listOf(ledger: Ledger, query: Readonly<Record<string, string>>): Record<string, unknown> {
  const limit = Math.min(LIST_LIMIT_MAX, Number(query['limit'] ?? LIST_LIMIT_MAX));
  const offset = Number(query['offset'] ?? 0);
  const instant = (name: string): number | null => {
    const text = query[name];
    return text === undefined ? null : Date.parse(`${text.replace(' ', 'T')}Z`);
  };
  const dayAgo = Date.now() - 24 * 60 * MINUTE_MS;
  const hasTime = Object.keys(query).some((name) => name.startsWith('message_time'));
  const from = instant('message_time__gte') ?? instant('message_time__gt') ?? (hasTime ? 0 : dayAgo);
  const to = instant('message_time__lte') ?? instant('message_time__lt') ?? Number.POSITIVE_INFINITY;
  const matching = [...ledger.entries.values()].filter(
    (entry) =>
      entry.time >= from &&
      entry.time <= to &&
      (query['from_number'] === undefined || entry.src === query['from_number']) &&
      (query['to_number'] === undefined ||
        entry.dst.replace('+', '') === query['to_number'].replace('+', '')) &&
      (query['message_state'] === undefined || entry.final === query['message_state']),
  );
  return {
    api_id: randomUUID(),
    meta: { limit, offset, total_count: matching.length, next: null, previous: null },
    objects: matching
      .toReversed()
      .slice(offset, offset + limit)
      .map(recordOf),
  };
}

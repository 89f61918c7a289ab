import { randomUUID, timingSafeEqual } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { accountRecord } from './account-record.ts';
import type { Ledger } from './ledger.ts';
import type { Fault } from './magic-numbers.ts';
import type { MessageDesk, SendOrder } from './message-desk.ts';
import { isVisible, listRecords, recordOf } from './message-records.ts';
import { type ReadOrder, readOrder } from './send-order.ts';
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

const HANG_MS = 60_000;
const WINDOW_MS = 5_000;
const MINUTE_MS = 60_000;
const RETRY_MS = 1_000;

/** Plivo's message API (send one or many, read one, list) and the account itself. */
export function registerMessageRoutes(app: FastifyInstance, deps: MessageRouteDeps): void {
  const requests = createWindow(WINDOW_MS);
  const lists = createWindow(MINUTE_MS);
  let atOnce = 0;
  /** 0 when one more request is within the limits, which then counts; else how long to wait. */
  const beyondLimits = (): number => {
    const limit = deps.settings.requestsPer5s;
    const waitMs = limit === null ? 0 : requests.take(limit);
    if (waitMs > 0) return waitMs;
    return atOnce >= deps.settings.requestsAtOnceMax ? RETRY_MS : 0;
  };

  app.get<Account>('/v1/Account/:authId/', (request, reply) => {
    if (!isAuthenticated(request, deps)) return refuse(reply, 401, 'Authentication Failed');
    const waitMs = beyondLimits();
    if (waitMs > 0) return throttle(reply, waitMs);
    const { accountHttpStatus } = deps.settings;
    if (accountHttpStatus !== 200) return refuse(reply, accountHttpStatus, 'as ordered');
    return { api_id: randomUUID(), ...accountRecord(deps.authId, deps.settings) };
  });

  app.post<Account>('/v1/Account/:authId/Message/', async (request, reply) => {
    if (!isAuthenticated(request, deps)) return refuse(reply, 401, 'Authentication Failed');
    const waitMs = beyondLimits();
    if (waitMs > 0) return throttle(reply, waitMs);
    const order = readOrder(request.body);
    if ('error' in order) return refuse(reply, 400, order.error);
    atOnce += 1;
    try {
      return await answerSend(request, reply, deps, order);
    } finally {
      atOnce -= 1;
    }
  });

  app.get<Account & { Params: { uuid: string } }>('/v1/Account/:authId/Message/:uuid/', (request, reply) => {
    if (!isAuthenticated(request, deps)) return refuse(reply, 401, 'Authentication Failed');
    const row = deps.ledger.find(request.params.uuid);
    if (row === null || !isVisible(deps, row)) return refuse(reply, 404, 'not found');
    return { api_id: randomUUID(), ...recordOf(deps.authId, deps.ledger.read(row)) };
  });

  app.get<Account & { Querystring: Record<string, string> }>(
    '/v1/Account/:authId/Message/',
    (request, reply) => {
      if (!isAuthenticated(request, deps)) return refuse(reply, 401, 'Authentication Failed');
      const waitMs = lists.take(deps.settings.listsPerMinute);
      if (waitMs > 0) return throttle(reply, waitMs);
      const page = listRecords(deps, request.query);
      return 'error' in page ? refuse(reply, 400, page.error) : { api_id: randomUUID(), ...page };
    },
  );
}

interface Account {
  readonly Params: { readonly authId: string };
}

/** Basic credentials, and the account in the path is the one that they are for. */
function isAuthenticated(request: FastifyRequest<Account>, deps: MessageRouteDeps): boolean {
  const wanted = Buffer.from(`Basic ${Buffer.from(`${deps.authId}:${deps.authToken}`).toString('base64')}`);
  const given = Buffer.from(request.headers.authorization ?? '');
  const isRight = wanted.length === given.length && timingSafeEqual(wanted, given);
  return isRight && request.params.authId === deps.authId && !deps.settings.refusesCredentials;
}

/** Plivo's form of an error. */
export function refuse(reply: FastifyReply, status: number, error: string): FastifyReply {
  return reply.code(status).send({ api_id: randomUUID(), error });
}

function throttle(reply: FastifyReply, waitMs: number): FastifyReply {
  reply.header('retry-after', String(Math.ceil(waitMs / 1_000)));
  return refuse(reply, 429, 'Too many requests');
}

async function answerSend(
  request: FastifyRequest,
  reply: FastifyReply,
  deps: MessageRouteDeps,
  order: ReadOrder,
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
      return throttle(reply, RETRY_MS);
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
      await hang(request);
      return reply.code(202).send({});
    case 'reset_accepted':
    case 'reset_before':
      request.raw.socket.resetAndDestroy();
      return reply.hijack();
  }
}

/** Until a minute is over or the client has gone, whose place is free again then. */
async function hang(request: FastifyRequest): Promise<void> {
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  request.raw.socket.once('close', leave);
  await delay(HANG_MS, undefined, { ref: false, signal: gone.signal }).catch(() => undefined);
  request.raw.socket.off('close', leave);
}

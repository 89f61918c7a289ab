import { randomBytes } from 'node:crypto';
import { parse } from 'node:querystring';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { parseInboundMessage, parseStatusCallback } from '../../carrier/plivo/callback.ts';
import { verifyPlivoSignature } from '../../carrier/plivo/callback-signature.ts';
import { createPathVerifier } from '../../db/callback-url.ts';
import {
  type CarrierCredentials,
  findCarrierCredentials,
  listCarrierCredentials,
  openCredentials,
} from '../../db/carrier-accounts.ts';
import { withAccount } from '../../db/database.ts';
import { receiveInbound } from '../../db/inbound.ts';
import { numberHash } from '../../db/number-hash.ts';
import { applyTestReport, carrierAccountOfTest } from '../../db/test-sends/record-test.ts';
import type { CallbackRefusal } from '../../domain/refused-callback.ts';
import {
  CallbackRefused,
  createRefusalCounter,
  isUnreadable,
  type RefusalCounter,
} from '../callback-refusals.ts';
import { createCarrierBook } from '../carrier-book.ts';
import { createSpamWatch } from '../spam-watch.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { createMicroBatch } from '../micro-batch.ts';
import { Problem, ProblemOutput } from '../problem.ts';
import {
  applySignedReports,
  type CallbackFate,
  type CallbackOfPost,
  type ReadCallback,
} from '../signed-reports.ts';

const FORM_BYTES_MAX = 64 * 1024;
const FORM_FIELDS_MAX = 64;
const NOBODYS_TOKEN = randomBytes(32).toString('hex');
const Answer = Type.Object({ status: Type.Literal('ok') });
/** As any record of texts, without a pattern to hold each name against. */
const Form = Type.Unsafe<Record<string, string>>(Type.Object({}, { additionalProperties: Type.String() }));
const responses = { 200: Answer, 400: ProblemOutput, 403: ProblemOutput, 503: ProblemOutput };

/**
 * Where the carrier reports: status of what we sent, and what people send to us. A path that we have not made
 * and a signature that the carrier has not made are refused alike, so a prober learns nothing.
 */
export function registerCallbackRoutes(api: Api, deps: ApiDeps): void {
  api.register(async (scope) => {
    scope.addContentTypeParser(
      'application/x-www-form-urlencoded',
      { parseAs: 'string', bodyLimit: FORM_BYTES_MAX },
      (_request, body, done) => {
        const form = readForm(String(body));
        if (form === null) done(new Problem('malformed-request', 'The form has too many fields.'));
        else done(null, form);
      },
    );
    // A form that is no form never reaches the handler, which counts whom it refuses.
    scope.setErrorHandler(async (error: FastifyError, request, reply) => {
      const { countsRefused } = request.routeOptions.config;
      if (countsRefused === true && !(error instanceof CallbackRefused) && isUnreadable(error)) {
        await scope.countByAddress(request, reply);
      }
      throw error;
    });
    const refusals = createRefusalCounter(deps.db, (error) => logUncounted(api, error));
    scope.addHook('onClose', refusals.close);
    addStatusRoute(scope, deps, refusals);
    addInboundRoute(scope, deps, refusals);
  });
}

/**
 * The fields of a form, of one that comes twice the last; null when they are too many. Thousands of forms come a second,
 * and `URLSearchParams` takes three times as long.
 */
function readForm(body: string): Record<string, string> | null {
  const form = parse(body, '&', '=', { maxKeys: FORM_FIELDS_MAX + 1 });
  let count = 0;
  for (const name of Object.keys(form)) {
    const value = form[name];
    count += Array.isArray(value) ? value.length : 1;
    if (Array.isArray(value)) form[name] = value.at(-1);
  }
  // What came several times has become the last of it, so that each is a text now.
  return count > FORM_FIELDS_MAX ? null : (form as Record<string, string>);
}

function logUncounted(api: Api, error: unknown): void {
  api.log.error({ error: error instanceof Error ? error.name : 'unknown' }, 'Reports were not counted');
}

function addStatusRoute(api: Api, deps: ApiDeps, refusals: RefusalCounter): void {
  const spam = createSpamWatch(deps.db, (error) => logUncounted(api, error));
  const posted = createMicroBatch((batch: readonly CallbackOfPost[]) =>
    applySignedReports(deps, batch, spam.note),
  );
  const verifyPath = createPathVerifier(deps.keys);
  api.addHook('onClose', spam.close);
  api.post(
    '/callbacks/plivo/:account/:key/:post/:mac',
    {
      // No browser comes here, and a carrier does not read what is meant for one.
      helmet: false,
      // Nobody looks their lines up by request, and a logger for each costs more than reading the form.
      childLoggerFactory: (logger) => logger,
      onError: async (_request, _reply, error) => refusals.noteError('status', error),
      config: { scope: 'public', countsRefused: true, takesForm: true, isFrequent: true },
      schema: {
        operationId: 'receiveStatus',
        summary: 'A status report of the carrier',
        description:
          'Durable before the 200. The path is ours, signed with our key; the request carries the signature of the carrier.',
        tags: ['carrier'],
        security: [],
        params: Type.Object({
          account: Type.String(),
          key: Type.String(),
          post: Type.String(),
          mac: Type.String(),
        }),
        body: Form,
        response: responses,
      },
    },
    async (request, reply) => {
      const { account, key, post, mac } = request.params;
      const path = verifyPath({ accountId: account, keyId: key, postId: post, mac });
      if (path === null) return refuse(api, request, reply, 'path');
      const read = (credentials: CarrierCredentials | null): ReadCallback =>
        isSigned(deps, request, credentials) ? parseStatusCallback(request.body) : { kind: 'unsigned' };
      const { accountId } = path;
      const fate =
        path.kind === 'test'
          ? await applyTestCallback(deps, { accountId, key: path.key, read })
          : await posted.add({ accountId, post: path.post, read });
      if (fate.kind === 'unsigned') return refuse(api, request, reply, 'signature');
      if (fate.kind === 'malformed')
        throw new Problem('malformed-request', `The field ${fate.field} is not valid.`);
      const { verdict } = fate;
      if (verdict === 'mismatch') {
        request.log.warn({ post }, 'A status report does not belong to its post');
        return refuse(api, request, reply, 'mismatch');
      }
      if (verdict === 'repeated') refusals.note('status', 'repeated');
      return { status: 'ok' as const };
    },
  );
}

function addInboundRoute(api: Api, deps: ApiDeps, refusals: RefusalCounter): void {
  const carriers = createCarrierBook({
    load: () => listCarrierCredentials(deps.db),
    now: () => performance.now(),
  });
  api.post(
    '/callbacks/plivo/inbound/:carrierAccount',
    {
      onError: async (_request, _reply, error) => refusals.noteError('inbound', error),
      config: { scope: 'public', countsRefused: true, takesForm: true },
      schema: {
        operationId: 'receiveInbound',
        summary: 'A text that somebody sent to a sender',
        description: 'STOP suppresses at once, START lifts the opt-out. Durable before the 200.',
        tags: ['carrier'],
        security: [],
        params: Type.Object({ carrierAccount: Type.String() }),
        body: Form,
        response: responses,
      },
    },
    async (request, reply) => {
      const carrierAccountId = await carriers.signer(request.params.carrierAccount, (sealed) =>
        isSigned(
          deps,
          request,
          sealed === null ? null : openCredentials(sealed, deps.keys, deps.defaultCredentials),
        ),
      );
      if (carrierAccountId === null) return refuse(api, request, reply, 'signature');
      const parsed = parseInboundMessage(request.body);
      if (parsed.kind === 'malformed')
        throw new Problem('malformed-request', `The field ${parsed.field} is not valid.`);
      const { message } = parsed;
      const meaning = await receiveInbound(deps.db, {
        ...message,
        carrierAccountId,
        numberHash: numberHash(deps.hashKey, message.from),
      });
      if (meaning === 'repeated') refusals.note('inbound', 'repeated');
      return { status: 'ok' as const };
    },
  );
}

/**
 * Refuses what the carrier has not sent, and counts it. What it has sent comes from few addresses, as fast as the texts
 * went out, and is never refused for its number.
 */
async function refuse(
  api: Api,
  request: FastifyRequest,
  reply: FastifyReply,
  refusal: CallbackRefusal,
): Promise<never> {
  await api.countByAddress(request, reply);
  throw new CallbackRefused(refusal);
}

/** The same for the one post of a text on trial. */
async function applyTestCallback(
  deps: ApiDeps,
  { accountId, key, read }: { accountId: string; key: number; read: CallbackOfPost['read'] },
): Promise<CallbackFate> {
  const id = await withAccount(deps.db, accountId, (trx) => carrierAccountOfTest(trx, key));
  if (id === null) return { kind: 'told', verdict: 'gone' };
  const found = read(await findCredentials(deps, id));
  if (found.kind !== 'report') return found;
  return { kind: 'told', verdict: await applyTestReport(deps.db, { ...found.report, accountId, key }) };
}

function findCredentials(deps: ApiDeps, carrierAccountId: string): Promise<CarrierCredentials | null> {
  return findCarrierCredentials(deps.db, carrierAccountId, deps.keys, deps.defaultCredentials);
}

function isSigned(
  deps: ApiDeps,
  request: FastifyRequest<{ Body: Record<string, string> }>,
  credentials: CarrierCredentials | null,
): boolean {
  // A carrier account that there is not takes as long as one that there is.
  const isSignedBy = verifyPlivoSignature({
    method: request.method,
    // Behind a proxy the carrier signs the public URL, not the one that arrives here.
    url: `${deps.publicUrl}${request.url}`,
    headers: request.headers,
    params: request.body,
    authToken: credentials?.authToken ?? NOBODYS_TOKEN,
    acceptV2: deps.acceptV2Signatures,
  });
  return isSignedBy && credentials !== null;
}

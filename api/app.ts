import helmet from '@fastify/helmet';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { Ajv } from 'ajv';
import { fastify, type FastifyBaseLogger, LogController } from 'fastify';
import type { TSchema } from 'typebox';
import { registerAllowedMethods } from './allowed-methods.ts';
import { registerAuthentication } from './authentication.ts';
import type { Api, ApiDeps } from './deps.ts';
import { answerFrameworkError, registerErrors } from './errors.ts';
import { OPENAPI } from './openapi.ts';
import { registerAccountRoutes } from './routes/accounts.ts';
import { registerAlertRoutes } from './routes/alerts.ts';
import { registerCallbackRefusalRoute } from './routes/callback-refusals.ts';
import { registerCallbackRoutes } from './routes/callbacks.ts';
import { registerCampaignActionRoutes } from './routes/campaign-actions.ts';
import { registerCampaignListRoute } from './routes/campaign-list.ts';
import { registerCampaignRoutes } from './routes/campaigns.ts';
import { registerCarrierAccountRoutes } from './routes/carrier-accounts.ts';
import { registerCentralAccountRoutes } from './routes/central-accounts.ts';
import { registerContactRoutes } from './routes/contacts.ts';
import { registerDisableRoutes } from './routes/disable-account.ts';
import { registerDuplicateRoute } from './routes/duplicate-campaign.ts';
import { registerEventRoutes } from './routes/events.ts';
import { registerExportRoutes } from './routes/exports.ts';
import { registerHealthRoutes } from './routes/health.ts';
import { registerHoldRoutes } from './routes/holds.ts';
import { registerPairImportRoute } from './routes/import-pairs.ts';
import { registerImportRoutes } from './routes/imports.ts';
import { registerKeyRoutes } from './routes/keys.ts';
import { registerListRoutes } from './routes/lists.ts';
import { registerLogRoutes } from './routes/log.ts';
import { registerMediaRoutes } from './routes/media.ts';
import { registerMessageRoutes } from './routes/messages.ts';
import { registerParentRoutes } from './routes/parents.ts';
import { registerPeopleRoutes } from './routes/people.ts';
import { registerPresetPairRoutes } from './routes/preset-pairs.ts';
import { registerPresetRoutes } from './routes/presets.ts';
import { registerQuotaRoutes } from './routes/quotas.ts';
import { registerRecipientRoutes } from './routes/recipients.ts';
import { registerRefusedPhraseRoutes } from './routes/refused-phrases.ts';
import { registerReviewRoutes } from './routes/reviews.ts';
import { registerRoundRoute } from './routes/rounds.ts';
import { registerServedMedia } from './routes/serve-media.ts';
import { registerSenderRoutes } from './routes/senders.ts';
import { registerSubAccountRoutes } from './routes/sub-accounts.ts';
import { registerSuppressionImportRoutes } from './routes/suppression-imports.ts';
import { registerSuppressionRoutes } from './routes/suppressions.ts';
import { registerTestNumberRoutes } from './routes/test-numbers.ts';
import { registerTestSendRoutes } from './routes/test-sends.ts';
import { GENEROUS, prepareRates, type RateLimits } from './rates.ts';
import { registerTextCheck } from './text-check.ts';

const BODY_BYTES_MAX = 1_048_576;
const URL_LENGTH_MAX = 500;
const RFC_3339 = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

/**
 * The HTTP API, without a listener. Behind one of the trusted proxies an address is what that says of it; it is what
 * requests without a key are counted by.
 */
export async function createApp(
  deps: ApiDeps,
  logger: FastifyBaseLogger | false,
  limits: RateLimits = GENEROUS,
  trustedProxies: readonly string[] = [],
): Promise<Api> {
  const api: Api = fastify({
    ...(logger === false ? { logger: false } : { loggerInstance: logger }),
    bodyLimit: BODY_BYTES_MAX,
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    routerOptions: { maxParamLength: URL_LENGTH_MAX },
    logController: new LogController({ disableRequestLogging: true }),
    frameworkErrors: answerFrameworkError,
  }).withTypeProvider<TypeBoxTypeProvider>();
  useStrictBodies(api);
  takeEmptyDeletes(api);
  registerAllowedMethods(api, { maxParamLength: URL_LENGTH_MAX });
  await api.register(helmet, { contentSecurityPolicy: false });
  await api.register(swagger, OPENAPI);
  await api.register(swaggerUi, {
    routePrefix: '/docs',
    theme: {
      title: 'Carillon API',
      css: [{ filename: 'carillon.css', content: '.swagger-ui .topbar { display: none }' }],
    },
  });
  registerErrors(api);
  registerAuthentication(api, deps, await prepareRates(api, limits));
  registerTextCheck(api);
  logRoutes(api);

  api.get('/openapi.json', { config: { scope: 'public' }, schema: { hide: true } }, () => api.swagger());
  registerHealthRoutes(api, deps);
  registerAccountRoutes(api, deps);
  registerSubAccountRoutes(api, deps);
  registerDisableRoutes(api, deps);
  registerParentRoutes(api, deps);
  registerPresetRoutes(api, deps);
  registerPresetPairRoutes(api, deps);
  registerPairImportRoute(api, deps);
  registerPeopleRoutes(api, deps);
  registerKeyRoutes(api, deps);
  registerCarrierAccountRoutes(api, deps);
  registerQuotaRoutes(api, deps);
  registerSenderRoutes(api, deps);
  registerMediaRoutes(api, deps);
  registerServedMedia(api, deps);
  registerRefusedPhraseRoutes(api, deps);
  registerContactRoutes(api, deps);
  registerListRoutes(api, deps);
  registerImportRoutes(api, deps);
  registerSuppressionRoutes(api, deps);
  registerSuppressionImportRoutes(api, deps);
  registerCampaignListRoute(api, deps);
  registerCampaignRoutes(api, deps);
  registerMessageRoutes(api, deps);
  registerRecipientRoutes(api, deps);
  registerCampaignActionRoutes(api, deps);
  registerRoundRoute(api, deps);
  registerDuplicateRoute(api, deps);
  registerCentralAccountRoutes(api, deps);
  registerLogRoutes(api, deps);
  registerAlertRoutes(api, deps);
  registerHoldRoutes(api, deps);
  registerReviewRoutes(api, deps);
  registerEventRoutes(api, deps);
  registerExportRoutes(api, deps);
  registerTestNumberRoutes(api, deps);
  registerTestSendRoutes(api, deps);
  registerCallbackRoutes(api, deps);
  registerCallbackRefusalRoute(api, deps);
  return api;
}

/** Query fields come as text and are turned into what the schema wants; fields of a body have to be it already. */
function useStrictBodies(api: Api): void {
  const options = { removeAdditional: false, allErrors: true, strict: false } as const;
  const strict = new Ajv({ ...options, coerceTypes: false });
  const lenient = new Ajv({ ...options, coerceTypes: 'array' });
  for (const ajv of [strict, lenient]) {
    ajv.addFormat('date-time', isInstant);
    ajv.addFormat('date', (text) => isInstant(`${text}T00:00:00Z`));
  }
  api.setValidatorCompiler<TSchema>(({ schema, httpPart }) =>
    (httpPart === 'body' ? strict : lenient).compile(schema),
  );
}

/** Clients that name JSON in every request do so with a DELETE that has no body, too. */
function takeEmptyDeletes(api: Api): void {
  const parse = api.getDefaultJsonParser('error', 'error');
  api.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '' && request.method === 'DELETE') done(null, undefined);
    // The parser's own types know of callbacks only.
    else void parse(request, body as string, done);
  });
}

/** Whether it is RFC 3339 and a day that exists: `Date` alone takes 30 February for 2 March. */
function isInstant(text: string): boolean {
  const day = RFC_3339.exec(text)?.[1];
  if (day === undefined || Number.isNaN(Date.parse(text))) return false;
  const midnight = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(day);
}

/** Logs a line a request with the route's pattern: no id, no query, nothing of a body. */
function logRoutes(api: Api): void {
  api.addHook('onResponse', (request, reply, done) => {
    // A carrier reports thousands of texts a second: a line for each would say less than it costs.
    const level =
      request.routeOptions.config.isFrequent === true && reply.statusCode < 400 ? 'debug' : 'info';
    request.log[level](
      {
        method: request.method,
        route: request.routeOptions.url ?? 'unknown',
        status: reply.statusCode,
        durationMs: Math.round(reply.elapsedTime),
      },
      'request',
    );
    done();
  });
}

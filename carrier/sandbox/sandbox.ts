import { fastify, type FastifyError, type FastifyInstance } from 'fastify';
import { createCallbackSender } from './callback-sender.ts';
import { registerControlRoutes } from './control-routes.ts';
import { createLedger } from './ledger.ts';
import { createMessageDesk } from './message-desk.ts';
import { refuse, registerMessageRoutes } from './message-routes.ts';
import { createNumberBook } from './number-book.ts';
import { createRandom } from './random.ts';
import { defaultSettings } from './settings.ts';
import { createTextLives } from './text-life.ts';

/** What a sandbox is made with. */
export interface SandboxOptions {
  readonly authId: string;
  readonly authToken: string;
  /** Latencies repeat with the seed. */
  readonly seed?: number;
  /** Keeps the ledger over a restart. */
  readonly ledgerFile?: string;
  readonly inboundUrl?: string;
}

/** A carrier of its own that speaks Plivo's message API. */
export interface Sandbox {
  readonly listen: (at: {
    readonly host: string;
    readonly port: number;
  }) => Promise<{ readonly url: string }>;
  readonly close: () => Promise<void>;
}

/** Builds the sandbox carrier. Throws if the ledger's file cannot be read. */
export function createSandbox(options: SandboxOptions): Sandbox {
  const settings = { ...defaultSettings(), inboundUrl: options.inboundUrl ?? null };
  const random = createRandom(options.seed ?? 1);
  const ledger = createLedger(options.ledgerFile);
  const numbers = createNumberBook();
  const callbacks = createCallbackSender({ authToken: options.authToken, settings });
  const lives = createTextLives({ settings, ledger, callbacks, random, numberSettings: numbers.read });
  const desk = createMessageDesk({ settings, ledger, lives, numbers, random });
  // Whatever was accepted before a restart and had no last word yet gets it now.
  for (const row of ledger.unfinished()) lives.resume(row);
  const app = createApp();
  registerMessageRoutes(app, { ...options, settings, ledger, desk });
  registerControlRoutes(app, { settings, ledger, desk, lives, callbacks });
  return {
    listen: async ({ host, port }) => ({ url: await app.listen({ host, port }) }),
    close: async () => {
      await app.close();
      lives.clear();
      await callbacks.close();
      ledger.close();
    },
  };
}

function createApp(): FastifyInstance {
  const app: FastifyInstance = fastify({
    logger: false,
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true },
    // Null is no limit and must not become 0; an unknown field is a slip that has to be seen.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
  });
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
  app.setErrorHandler((error: FastifyError, _request, reply) =>
    refuse(reply, error.statusCode ?? 500, error.message),
  );
  app.setNotFoundHandler((_request, reply) => refuse(reply, 404, 'not found'));
  return app;
}

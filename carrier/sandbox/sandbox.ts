import { createRandom } from './random.ts';
import { createCallbackSender } from './callback-sender.ts';
import { createLedger } from './ledger.ts';
import { fateOf } from './magic-numbers.ts';
import { createMessageDesk } from './message-desk.ts';
import { fastify, type FastifyInstance } from 'fastify';
import { registerControlRoutes } from './control-routes.ts';
import { registerMessageRoutes } from './message-routes.ts';
import { defaultSettings } from './settings.ts';

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

/** Builds the sandbox carrier. */
export function createSandbox(options: SandboxOptions): Sandbox {
  const settings = { ...defaultSettings(), inboundUrl: options.inboundUrl ?? null };
  const ledger = createLedger(options.ledgerFile);
  const callbacks = createCallbackSender({
    authToken: options.authToken,
    settings,
    random: createRandom(options.seed ?? 1),
    finish: (uuid, final, errorCode) => ledger.finish(uuid, final, errorCode),
  });
  const desk = createMessageDesk({ settings, ledger, callbacks });
  // Whatever was accepted before a restart and had no last word yet gets it now.
  for (const entry of ledger.entries.values()) {
    if (entry.final === null) callbacks.tell(entry, fateOf(entry.dst), 0);
  }
  const app: FastifyInstance = fastify({ logger: false, forceCloseConnections: true });
  registerMessageRoutes(app, { ...options, settings, ledger, desk });
  registerControlRoutes(app, { settings, ledger, desk, callbacks });
  return {
    listen: async ({ host, port }) => ({ url: await app.listen({ host, port }) }),
    close: async () => {
      await app.close();
      await callbacks.close();
    },
  };
}

import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { CallbackSender } from './callback-sender.ts';
import { type Ledger, ledgerLine } from './ledger.ts';
import { FAULTS } from './magic-numbers.ts';
import type { MessageDesk } from './message-desk.ts';
import type { NumberSettings, SandboxSettings } from './settings.ts';

const STOP_WORDS = /^\s*(stop|stop all|stopall|quit|end|cancel|unsubscribe|unsub)\W*$/i;
const START_WORDS = /^\s*(start|yes|resume|unstop|go)\W*$/i;

/** The sandbox's own API: settings, faults, inbound texts and the ledger. */
export function registerControlRoutes(
  app: FastifyInstance,
  deps: {
    readonly settings: SandboxSettings;
    readonly ledger: Ledger;
    readonly desk: MessageDesk;
    readonly callbacks: CallbackSender;
  },
): void {
  app.get('/sandbox/settings', () => deps.settings);
  app.put<{ Body: Partial<SandboxSettings> }>('/sandbox/settings', (request) =>
    Object.assign(deps.settings, request.body),
  );
  app.put<{ Params: { number: string }; Body: Partial<NumberSettings> }>(
    '/sandbox/numbers/:number',
    (request) => {
      deps.desk.setNumber(request.params.number, request.body);
      return deps.desk.numberSettings(request.params.number);
    },
  );

  app.post<{ Body: { fault?: string; count?: number; rate?: number; to?: string } }>(
    '/sandbox/faults',
    (request, reply) => {
      const { fault, count, rate, to } = request.body;
      const known = FAULTS.find((one) => one === fault);
      if (known === undefined)
        return reply.code(400).send({ error: `fault has to be one of ${FAULTS.join(', ')}` });
      deps.desk.rules.push({
        fault: known,
        left: count ?? Number.POSITIVE_INFINITY,
        rate: rate ?? 1,
        to: to ?? null,
      });
      return reply.code(201).send({ rules: deps.desk.rules.length });
    },
  );
  app.delete('/sandbox/faults', (_request, reply) => {
    deps.desk.rules.length = 0;
    return reply.code(204).send();
  });

  app.post<{ Body: { from: string; to: string; text: string } }>(
    '/sandbox/inbound',
    async (request, reply) => {
      const { from, to, text } = request.body;
      const url = deps.settings.inboundUrl;
      if (url === null) return reply.code(409).send({ error: 'set inboundUrl in /sandbox/settings first' });
      const pair = `${to} ${from}`;
      if (STOP_WORDS.test(text)) deps.desk.stopped.add(pair);
      if (START_WORDS.test(text)) deps.desk.stopped.delete(pair);
      const form = {
        MessageUUID: randomUUID(),
        From: from.replace('+', ''),
        To: to.replace('+', ''),
        Text: text,
        Type: 'sms',
      };
      return { status: await deps.callbacks.post(url, form) };
    },
  );

  app.get('/sandbox/ledger', (_request, reply) => {
    function* lines(): Generator<string> {
      for (const entry of deps.ledger.entries.values()) yield `${ledgerLine(entry)}\n`;
    }
    return reply.type('application/x-ndjson').send(Readable.from(lines()));
  });
  app.delete('/sandbox/ledger', (_request, reply) => {
    deps.ledger.clear();
    return reply.code(204).send();
  });
  app.get('/sandbox/stats', () => ({ accepted: deps.ledger.entries.size, callbacks: deps.callbacks.stats }));
}

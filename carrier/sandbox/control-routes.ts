import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { CallbackSender } from './callback-sender.ts';
import {
  type FaultOrder,
  FAULT_SCHEMA,
  INBOUND_SCHEMA,
  NUMBER_SCHEMA,
  SETTINGS_SCHEMA,
} from './control-schemas.ts';
import { inboundForm, type InboundText, keywordKind } from './inbound.ts';
import { type Ledger, ledgerLine } from './ledger.ts';
import { ORDER_NAMES, orderOf } from './magic-numbers.ts';
import type { MessageDesk } from './message-desk.ts';
import { refuse } from './message-routes.ts';
import { plain } from './number-book.ts';
import type { NumberSettings, SandboxSettings } from './settings.ts';
import type { TextLives } from './text-life.ts';

/** What the control API steers. */
interface ControlDeps {
  readonly settings: SandboxSettings;
  readonly ledger: Ledger;
  readonly desk: MessageDesk;
  readonly lives: TextLives;
  readonly callbacks: CallbackSender;
}

const LINES_AT_ONCE = 1_000;

/** The sandbox's own API: settings, faults, inbound texts and the ledger. */
export function registerControlRoutes(app: FastifyInstance, deps: ControlDeps): void {
  registerSettings(app, deps);
  registerFaults(app, deps);
  registerInbound(app, deps);
  registerLedger(app, deps);
}

function registerSettings(app: FastifyInstance, { settings, desk }: ControlDeps): void {
  app.get('/sandbox/settings', () => settings);
  app.put<{ Body: Partial<SandboxSettings> }>(
    '/sandbox/settings',
    { schema: { body: SETTINGS_SCHEMA } },
    (request, reply) => {
      const { min, max } = request.body.callbackDelayMs ?? settings.callbackDelayMs;
      if (min > max) return refuse(reply, 400, 'callbackDelayMs.min is above callbackDelayMs.max');
      return Object.assign(settings, request.body);
    },
  );
  app.get<{ Params: { number: string } }>('/sandbox/numbers/:number', (request) =>
    desk.numberSettings(request.params.number),
  );
  app.put<{ Params: { number: string }; Body: Partial<NumberSettings> }>(
    '/sandbox/numbers/:number',
    { schema: { body: NUMBER_SCHEMA } },
    (request) => {
      desk.setNumber(request.params.number, request.body);
      return desk.numberSettings(request.params.number);
    },
  );
}

function registerFaults(app: FastifyInstance, { desk }: ControlDeps): void {
  app.post<{ Body: FaultOrder }>('/sandbox/faults', { schema: { body: FAULT_SCHEMA } }, (request, reply) => {
    const { fault, count, rate, from, to } = request.body;
    const order = orderOf(fault);
    if (order === null) return refuse(reply, 400, `fault has to be one of ${ORDER_NAMES}`);
    desk.rules.push({
      ...order,
      left: count ?? Number.POSITIVE_INFINITY,
      rate: rate ?? 1,
      from: from === undefined ? null : plain(from),
      to: to === undefined ? null : plain(to),
    });
    return reply.code(201).send({ rules: desk.rules.length });
  });
  app.delete('/sandbox/faults', (_request, reply) => {
    desk.rules.length = 0;
    return reply.code(204).send();
  });
}

function registerInbound(app: FastifyInstance, { settings, desk, callbacks }: ControlDeps): void {
  app.post<{ Body: InboundText }>(
    '/sandbox/inbound',
    { schema: { body: INBOUND_SCHEMA } },
    async (request, reply) => {
      const { inboundUrl } = settings;
      if (inboundUrl === null) return refuse(reply, 409, 'set inboundUrl in /sandbox/settings first');
      const { from, to, text } = request.body;
      const kind = keywordKind(text, desk.numberSettings(to).type);
      if (kind !== null) desk.setStopped(to, from, kind === 'stop');
      const status = await callbacks.post({ url: inboundUrl, method: 'POST' }, inboundForm(request.body));
      return { status, isStopped: desk.isStopped(to, from) };
    },
  );
}

function registerLedger(app: FastifyInstance, { ledger, lives, callbacks, desk }: ControlDeps): void {
  app.get('/sandbox/ledger', (_request, reply) =>
    reply.type('application/x-ndjson').send(Readable.from(ledgerPieces(ledger))),
  );
  app.delete('/sandbox/ledger', (_request, reply) => {
    lives.clear();
    callbacks.clear();
    ledger.clear();
    return reply.code(204).send();
  });
  app.get('/sandbox/stats', () => ({
    accepted: ledger.size(),
    queued: lives.waiting(),
    faults: Object.fromEntries(desk.faults),
    callbacks: callbacks.stats(),
  }));
}

/** As it was when it was asked for: what is accepted meanwhile is not in it. */
function* ledgerPieces(ledger: Ledger): Generator<string> {
  const size = ledger.size();
  for (let start = 0; start < size; start += LINES_AT_ONCE) {
    const end = Math.min(start + LINES_AT_ONCE, ledger.size());
    let piece = '';
    for (let row = start; row < end; row += 1) piece += `${ledgerLine(ledger.read(row))}\n`;
    yield piece;
  }
}

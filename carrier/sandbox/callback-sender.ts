import { randomBytes } from 'node:crypto';
import { Agent } from 'undici';
import { signPlivoCallback } from '../plivo/callback-signature.ts';
import type { CallbackTarget } from './ledger.ts';
import type { SandboxSettings } from './settings.ts';

type Form = Readonly<Record<string, string>>;

/** A form on its way to whoever wants to know. */
export interface Callback {
  readonly target: CallbackTarget;
  /** Made when it is posted, so that what waits stays small. */
  readonly form: () => Form;
  /** Posted with a wrong signature first. */
  readonly isForgedFirst: boolean;
  /** Called once it has been delivered or given up, or never if the sender is closed or cleared before. */
  readonly done: () => void;
}

/** Posts signed callbacks and tries again as the carrier does. */
export interface CallbackSender {
  readonly send: (callback: Callback) => void;
  /** Posts a signed form once. Resolves with the HTTP status, or null when nobody answered. */
  readonly post: (target: CallbackTarget, form: Form) => Promise<number | null>;
  readonly stats: () => {
    readonly delivered: number;
    readonly refused: number;
    readonly givenUp: number;
    readonly waiting: number;
  };
  /** Forgets what has not been posted yet. */
  readonly clear: () => void;
  readonly close: () => Promise<void>;
}

/** A callback and how often it has been tried. */
interface Delivery {
  readonly callback: Callback;
  tries: number;
  isForged: boolean;
}

/** Plivo waits so long for an answer. */
const ANSWER_MS_MAX = 8_000;
const CONNECTIONS = 32;

/** Keeps connections alive and at most 32 posts under way. */
export function createCallbackSender(deps: {
  readonly authToken: string;
  readonly settings: SandboxSettings;
}): CallbackSender {
  const agent = new Agent({
    connections: CONNECTIONS,
    keepAliveTimeout: 10_000,
    connect: { timeout: ANSWER_MS_MAX },
    headersTimeout: ANSWER_MS_MAX,
    bodyTimeout: ANSWER_MS_MAX,
  });
  const timers = new Map<NodeJS.Timeout, Delivery>();
  let ready: Delivery[] = [];
  let head = 0;
  let underWay = 0;
  // What was under way when everything was forgotten has nobody left to tell.
  let generation = 0;
  const counts = { delivered: 0, refused: 0, givenUp: 0 };

  const next = (): Delivery | undefined => {
    const delivery = ready[head];
    if (delivery === undefined) {
      ready = [];
      head = 0;
    } else head += 1;
    return delivery;
  };
  const settle = (delivery: Delivery, status: number | null): void => {
    if (delivery.isForged) {
      delivery.isForged = false;
      ready.push(delivery);
      return;
    }
    if (status !== null && status >= 200 && status < 300) {
      counts.delivered += 1;
      delivery.callback.done();
      return;
    }
    counts.refused += 1;
    const delayMs = deps.settings.retryDelaysMs[delivery.tries];
    delivery.tries += 1;
    if (delayMs === undefined) {
      counts.givenUp += 1;
      delivery.callback.done();
      return;
    }
    const timer = setTimeout(() => {
      timers.delete(timer);
      ready.push(delivery);
      pump();
    }, delayMs);
    timers.set(timer, delivery);
  };
  const pump = (): void => {
    while (underWay < CONNECTIONS) {
      const delivery = next();
      if (delivery === undefined) return;
      const { target, form } = delivery.callback;
      const startedIn = generation;
      underWay += 1;
      const authToken = delivery.isForged ? `not ${deps.authToken}` : deps.authToken;
      void postSigned(agent, target, form(), authToken).then((status) => {
        underWay -= 1;
        if (startedIn === generation) settle(delivery, status);
        pump();
      });
    }
  };
  const clear = (): void => {
    generation += 1;
    for (const timer of timers.keys()) clearTimeout(timer);
    timers.clear();
    ready = [];
    head = 0;
  };
  return {
    send: (callback) => {
      ready.push({ callback, tries: 0, isForged: callback.isForgedFirst });
      pump();
    },
    post: (target, form) => postSigned(agent, target, form, deps.authToken),
    stats: () => ({ ...counts, waiting: ready.length - head + underWay + timers.size }),
    clear,
    close: async () => {
      clear();
      await agent.destroy();
    },
  };
}

/** The status of the answer, or null where there is none within 8 seconds. */
async function postSigned(
  agent: Agent,
  { url, method }: CallbackTarget,
  form: Form,
  authToken: string,
): Promise<number | null> {
  try {
    const target = new URL(url);
    const nonce = randomBytes(12).toString('hex');
    const fields = new URLSearchParams(form);
    if (method === 'GET') for (const [name, value] of fields) target.searchParams.append(name, value);
    const answer = await agent.request({
      origin: target.origin,
      path: target.pathname + target.search,
      method,
      headers: {
        ...(method === 'POST' && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...signPlivoCallback({ method, url, params: form, authToken, nonce }),
      },
      body: method === 'POST' ? fields.toString() : null,
    });
    await answer.body.dump();
    return answer.statusCode;
  } catch {
    return null;
  }
}

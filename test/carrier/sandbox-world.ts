import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSandbox, type SandboxOptions } from '../../carrier/sandbox/sandbox.ts';

export const AUTH_ID = 'MASANDBOXTEST0000001';
export const AUTH_TOKEN = 'sandbox-test-token';
export const SENDER = '+14155550100';

/** A callback as it arrived. */
export interface Arrival {
  readonly url: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly form: Readonly<Record<string, string>>;
  readonly connection: string;
}

/** A server that takes callbacks and keeps them. */
export interface Receiver {
  readonly url: string;
  readonly arrivals: Arrival[];
  /** The statuses of the next answers; 200 after them. */
  readonly answers: number[];
  readonly statusesOf: (uuid: string) => string[];
  readonly close: () => Promise<void>;
}

/** One line of the sandbox's ledger. */
export interface LedgerLine {
  readonly src: string;
  readonly dst: string;
  readonly sha256: string;
  readonly time: number;
  readonly uuid: string;
  readonly final: string | null;
  readonly error_code: string | null;
}

/** What a send was answered with. */
export interface SendAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly uuids: readonly string[];
  readonly invalid: readonly string[];
}

/** A sandbox and somebody who talks to it over HTTP. */
export interface SandboxWorld {
  readonly url: string;
  readonly send: (body: Readonly<Record<string, unknown>>) => Promise<SendAnswer>;
  readonly get: (path: string) => Promise<Response>;
  readonly control: (method: string, path: string, body?: unknown) => Promise<Response>;
  readonly ledger: () => Promise<LedgerLine[]>;
  readonly close: () => Promise<void>;
}

/** Starts a receiver on a free port. */
export async function startReceiver(): Promise<Receiver> {
  const arrivals: Arrival[] = [];
  const answers: number[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (piece: string) => (body += piece));
    request.on('end', () => {
      const path = request.url ?? '';
      const method = request.method ?? '';
      const url = `${origin}${path}`;
      const fields = method === 'GET' ? new URL(url).searchParams : new URLSearchParams(body);
      const connection = `${request.socket.remotePort}`;
      arrivals.push({ url, method, headers: request.headers, form: Object.fromEntries(fields), connection });
      response.writeHead(answers.shift() ?? 200).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens on a port has an address of this form.
  const { port } = server.address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  return {
    url: origin,
    arrivals,
    answers,
    statusesOf: (uuid) =>
      arrivals.filter(({ form }) => form['MessageUUID'] === uuid).map(({ form }) => form['Status'] ?? ''),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Starts a sandbox whose numbers have no pace and whose texts end within milliseconds. */
export async function startSandboxWorld(options: Partial<SandboxOptions> = {}): Promise<SandboxWorld> {
  const sandbox = createSandbox({ authId: AUTH_ID, authToken: AUTH_TOKEN, ...options });
  const { url } = await sandbox.listen({ host: '127.0.0.1', port: 0 });
  const basic = { authorization: `Basic ${Buffer.from(`${AUTH_ID}:${AUTH_TOKEN}`).toString('base64')}` };
  const messages = `${url}/v1/Account/${AUTH_ID}/Message/`;
  const world: SandboxWorld = {
    url,
    send: async (body) =>
      answerOf(await fetch(messages, jsonPost({ src: SENDER, text: 'Hi', ...body }, basic))),
    get: (path) => fetch(`${messages}${path}`, { headers: basic }),
    control: (method, path, body) =>
      fetch(`${url}/sandbox/${path}`, body === undefined ? { method } : { ...jsonPost(body), method }),
    ledger: async () => {
      const text = await (await fetch(`${url}/sandbox/ledger`)).text();
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as LedgerLine);
    },
    close: sandbox.close,
  };
  await world.control('PUT', `numbers/${SENDER}`, { smsSegmentsPerSecond: null, mmsPerSecond: null });
  await world.control('PUT', 'settings', { callbackDelayMs: { min: 1, max: 10 }, requestsPer5s: null });
  return world;
}

function jsonPost(body: unknown, headers: Readonly<Record<string, string>> = {}): RequestInit {
  return {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
}

async function answerOf(response: Response): Promise<SendAnswer> {
  const text = await response.text();
  const { status, headers } = response;
  let body: { readonly message_uuid?: string[]; readonly invalid_number?: string[] } = {};
  // Some faults answer with what is no JSON, on purpose.
  if (text.startsWith('{') && text.endsWith('}')) body = JSON.parse(text) as typeof body;
  return { status, headers, text, uuids: body.message_uuid ?? [], invalid: body.invalid_number ?? [] };
}

import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export const AUTH_ID = 'MAPLIVOTEST000000001';
export const AUTH_TOKEN = 'plivo-test-token';

/** A request as the server has read it. */
export interface Posted {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
  /** Tells one connection from another. */
  readonly connection: number;
}

/** What the server does with a request that it has read in full. */
export type Behaviour = (response: ServerResponse, socket: Socket, posted: Posted) => void;

/** A server in Plivo's place that does as it is told. */
export interface PlivoServer {
  readonly url: string;
  /** Every request that arrived, of any path and method. */
  readonly posted: Posted[];
  behave: Behaviour;
  /** Resolves once so many requests have arrived in all. */
  readonly arrived: (count: number) => Promise<void>;
  readonly reset: () => void;
  readonly close: () => Promise<void>;
}

/** An answer with a status, a body (an object goes as JSON) and headers. */
export function answer(
  status: number,
  body: unknown = '',
  headers: Readonly<Record<string, string>> = {},
): Behaviour {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

/** The answer to a send that Plivo has taken. */
export const QUEUED = answer(202, {
  message: 'message(s) queued',
  message_uuid: ['00000000-0000-4000-8000-000000000001'],
  api_id: '00000000-0000-4000-8000-00000000000a',
});

/** Starts a server on a free port. It takes every send until it is told otherwise. */
export async function startPlivoServer(): Promise<PlivoServer> {
  const posted: Posted[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (piece: string) => (text += piece));
    request.on('end', () => {
      const one: Posted = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        // The SDK writes JSON objects; what does not parse ends the test with an error.
        body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
        connection: request.socket.remotePort ?? 0,
      };
      posted.push(one);
      for (const { count, resolve } of waiting) if (posted.length >= count) resolve();
      world.behave(response, request.socket, one);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server that listens on a port has an address of this form.
  const { port } = server.address() as AddressInfo;
  const world: PlivoServer = {
    url: `http://127.0.0.1:${port}`,
    posted,
    behave: QUEUED,
    arrived: (count) =>
      new Promise((resolve) => {
        if (posted.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    reset: () => {
      posted.length = 0;
      world.behave = QUEUED;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return world;
}

import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Carrier, SendRequest, SendResult } from '../../carrier/carrier.ts';
import { createPlivoCarrier } from '../../carrier/plivo/plivo-carrier.ts';
import { answer, AUTH_ID, AUTH_TOKEN, type PlivoServer, QUEUED, startPlivoServer } from './plivo-server.ts';

const REQUEST: SendRequest = {
  from: '+14155550100',
  to: ['+14155550001'],
  text: 'The bakery opens at nine.',
  mediaUrls: [],
  callbackUrl: 'https://carillon.example/callbacks/plivo/status/post_1/mac',
};
const NOT_WRITTEN: SendResult = { kind: 'not_accepted', cause: 'not_written', retryAfterMs: null };
const TIMEOUT_MS = 300;
const PATIENT_MS = 60_000;

let server: PlivoServer;
const carriers: Carrier[] = [];
beforeAll(async () => {
  server = await startPlivoServer();
});
beforeEach(() => {
  server.reset();
});
afterEach(async () => {
  await Promise.all(carriers.splice(0).map((one) => one.close()));
});
afterAll(async () => {
  await server.close();
});

function carrierTo(options: { url?: string; timeoutMs?: number; connections?: number } = {}): Carrier {
  const { url = server.url, timeoutMs = PATIENT_MS, connections = 4 } = options;
  const carrier = createPlivoCarrier({
    authId: AUTH_ID,
    authToken: AUTH_TOKEN,
    apiUrl: url,
    timeoutMs,
    connections,
  });
  carriers.push(carrier);
  return carrier;
}

/** A port at which nobody listens, for it has just been given back. */
async function deadUrl(): Promise<string> {
  const listener = createServer();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  // A server that listens on a port has an address of this form.
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  return `http://127.0.0.1:${port}`;
}

describe('a connection that fails', () => {
  it('a refused connection is certain: nothing was written', async () => {
    expect(await carrierTo({ url: await deadUrl() }).send(REQUEST)).toEqual(NOT_WRITTEN);
  });

  it('a closed carrier writes nothing and does not reject', async () => {
    const carrier = carrierTo();
    await carrier.close();
    carriers.pop();
    expect(await carrier.send(REQUEST)).toEqual(NOT_WRITTEN);
    expect(server.posted).toEqual([]);
  });

  it('a reset after the request has arrived leaves it unknown, and it is not sent again', async () => {
    server.behave = (_response, socket) => socket.resetAndDestroy();
    expect(await carrierTo().send(REQUEST)).toEqual({ kind: 'unknown', cause: 'reset' });
    expect(server.posted).toHaveLength(1);
  });

  it('a connection that closes without an answer leaves it unknown', async () => {
    server.behave = (_response, socket) => socket.end();
    expect(await carrierTo().send(REQUEST)).toEqual({ kind: 'unknown', cause: 'reset' });
    expect(server.posted).toHaveLength(1);
  });

  it('a reset in the middle of a good answer leaves it unknown', async () => {
    server.behave = (response, socket) => {
      response.writeHead(202, { 'content-length': '1000' });
      response.write('{"message_uuid":["00000000-0000-4000-8000-000000000001"]', () =>
        socket.resetAndDestroy(),
      );
    };
    expect(await carrierTo().send(REQUEST)).toEqual({ kind: 'unknown', cause: 'reset' });
    expect(server.posted).toHaveLength(1);
  });

  it('an answer that is no HTTP leaves it unknown', async () => {
    server.behave = (_response, socket) => socket.end('220 mail.example ESMTP\r\n');
    expect((await carrierTo().send(REQUEST)).kind).toBe('unknown');
    expect(server.posted).toHaveLength(1);
  });

  it('an answer above a megabyte is not read to its end', async () => {
    server.behave = answer(202, `{"message_uuid":["${'0'.repeat(1_100_000)}"]}`);
    expect(await carrierTo().send(REQUEST)).toEqual({ kind: 'unknown', cause: 'malformed_answer' });
    expect(server.posted).toHaveLength(1);
  });

  it('after a failure the next send goes well', async () => {
    const carrier = carrierTo({ connections: 1 });
    server.behave = (_response, socket) => socket.resetAndDestroy();
    await carrier.send(REQUEST);
    server.behave = QUEUED;
    expect((await carrier.send(REQUEST)).kind).toBe('accepted');
    expect(server.posted).toHaveLength(2);
  });
});

describe('a carrier that hangs', () => {
  it('no answer in time leaves it unknown', async () => {
    server.behave = () => {};
    expect(await carrierTo({ timeoutMs: TIMEOUT_MS }).send(REQUEST)).toEqual({
      kind: 'unknown',
      cause: 'timeout',
    });
    expect(server.posted).toHaveLength(1);
  });

  it.each([202, 429, 400])('a body that never ends leaves a %s unknown', async (status) => {
    server.behave = (response) => {
      response.writeHead(status);
      response.write('{"message_uuid":');
    };
    expect(await carrierTo({ timeoutMs: TIMEOUT_MS }).send(REQUEST)).toEqual({
      kind: 'unknown',
      cause: 'timeout',
    });
    expect(server.posted).toHaveLength(1);
  });
});

describe('a send that is called off', () => {
  it('before it begins, it writes nothing and keeps its connection', async () => {
    const carrier = carrierTo({ connections: 1 });
    await carrier.send(REQUEST);
    expect(await carrier.send(REQUEST, AbortSignal.abort())).toEqual(NOT_WRITTEN);
    await carrier.send(REQUEST);
    expect(server.posted).toHaveLength(2);
    expect(server.posted[1]?.connection).toBe(server.posted[0]?.connection);
  });

  it('while the carrier thinks, it ends at once and is unknown', async () => {
    const stop = new AbortController();
    server.behave = () => stop.abort();
    expect(await carrierTo().send(REQUEST, stop.signal)).toEqual({ kind: 'unknown', cause: 'reset' });
    expect(server.posted).toHaveLength(1);
  });

  it('after its answer, it stays what it was', async () => {
    const stop = new AbortController();
    const result = await carrierTo().send(REQUEST, stop.signal);
    stop.abort();
    expect(result.kind).toBe('accepted');
  });
});

describe('a send that waits for a connection', () => {
  it('called off, ends at once as not written, and those around it go on over the same connection', async () => {
    const carrier = carrierTo({ connections: 1 });
    const release: (() => void)[] = [];
    server.behave = (response, socket, posted) => {
      release.push(() => QUEUED(response, socket, posted));
    };
    const first = carrier.send({ ...REQUEST, text: 'first' });
    await server.arrived(1);
    const stop = new AbortController();
    const second = carrier.send({ ...REQUEST, text: 'second' }, stop.signal);
    const third = carrier.send({ ...REQUEST, text: 'third' });
    stop.abort();
    expect(await second).toEqual(NOT_WRITTEN);
    server.behave = QUEUED;
    for (const go of release) go();
    expect((await Promise.all([first, third])).map(({ kind }) => kind)).toEqual(['accepted', 'accepted']);
    expect(server.posted.map(({ body }) => body['text'])).toEqual(['first', 'third']);
    expect(new Set(server.posted.map(({ connection }) => connection)).size).toBe(1);
  });
});

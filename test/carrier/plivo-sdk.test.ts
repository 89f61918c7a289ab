import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
import { Client } from 'plivo';
import { Pool } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { installTransport, throughTransport } from '../../carrier/plivo/sdk-transport.ts';
import { answer, AUTH_ID, AUTH_TOKEN, type PlivoServer, QUEUED, startPlivoServer } from './plivo-server.ts';

/** What the tests call; the SDK's own typings do not fit its code. */
interface Messages {
  readonly create: (message: Readonly<Record<string, unknown>>) => Promise<unknown>;
  readonly get: (uuid: string) => Promise<unknown>;
}

/** The place in the SDK's own axios that every one of its requests passes. */
interface HttpClient {
  readonly Axios: { readonly prototype: Record<string, (this: unknown, ...given: unknown[]) => unknown> };
}

const PLACE = '_request';
const MESSAGE = { src: '+14155550100', dst: '+14155550001', text: 'The bakery opens at nine.' };

let server: PlivoServer;
beforeAll(async () => {
  server = await startPlivoServer();
});
beforeEach(() => {
  server.reset();
});
afterAll(async () => {
  await server.close();
});

function messagesOf(authId: string, authToken: string): Messages {
  const client: { readonly messages: unknown } = new Client(authId, authToken, {
    url: `${server.url}/v1/Account/${authId}`,
    timeout: 10_000,
  });
  // See Messages.
  return client.messages as Messages;
}

function sdkHttpClient(): HttpClient {
  const inSdk = createRequire(createRequire(import.meta.url).resolve('plivo'));
  // See HttpClient; the first test checks it.
  return inSdk('axios') as HttpClient;
}

describe('what we lean on inside the SDK', () => {
  it('its HTTP client has the method that we put ours under', () => {
    expect(sdkHttpClient().Axios.prototype[PLACE]).toBeTypeOf('function');
  });

  it('every message goes through that method, once', async () => {
    const { prototype } = sdkHttpClient().Axios;
    const before = prototype[PLACE];
    let passed = 0;
    prototype[PLACE] = function counted(...given) {
      passed += 1;
      return before?.apply(this, given);
    };
    try {
      await messagesOf(AUTH_ID, AUTH_TOKEN).create(MESSAGE);
    } finally {
      if (before !== undefined) prototype[PLACE] = before;
    }
    expect(passed).toBe(1);
    expect(server.posted).toHaveLength(1);
  });

  it('callers are kept apart: what is stored for a call is there when its request is made', async () => {
    const { prototype } = sdkHttpClient().Axios;
    const before = prototype[PLACE];
    const callers = new AsyncLocalStorage<number>();
    const seen: (readonly [unknown, unknown])[] = [];
    prototype[PLACE] = function seeing(...given) {
      const [config] = given as [{ readonly data: { readonly text: string } }];
      seen.push([callers.getStore(), config.data.text]);
      return before?.apply(this, given);
    };
    const messages = messagesOf(AUTH_ID, AUTH_TOKEN);
    const numbers = Array.from({ length: 20 }, (_, index) => index);
    try {
      await Promise.all(
        numbers.map((one) => callers.run(one, () => messages.create({ ...MESSAGE, text: `${one}` }))),
      );
    } finally {
      if (before !== undefined) prototype[PLACE] = before;
    }
    expect(seen).toEqual(numbers.map((one) => [one, `${one}`]));
  });
});

describe('the transport under the SDK', () => {
  it('is put in place once, however often that is asked', () => {
    installTransport();
    const installed = sdkHttpClient().Axios.prototype[PLACE];
    installTransport();
    expect(sdkHttpClient().Axios.prototype[PLACE]).toBe(installed);
  });

  it('leaves calls of the SDK outside of it alone: they answer and fail in the way of the SDK', async () => {
    installTransport();
    const messages = messagesOf(AUTH_ID, AUTH_TOKEN);
    expect(await messages.create(MESSAGE)).toMatchObject({
      message: 'message(s) queued',
      messageUuid: ['00000000-0000-4000-8000-000000000001'],
    });
    // Our request accepts JSON only; the SDK's own accepts anything.
    expect(server.posted[0]?.headers.accept).not.toBe('application/json');
    server.behave = answer(401, { error: 'no' });
    await expect(messages.create(MESSAGE)).rejects.toMatchObject({ status: 401 });
    server.behave = answer(200, { message_uuid: 'one', units: 3 });
    expect(await messages.get('one')).toMatchObject({ units: 3 });
    expect(server.posted.map(({ method }) => method)).toEqual(['POST', 'POST', 'GET']);
  });

  it('posts what the SDK itself would post', async () => {
    installTransport();
    const messages = messagesOf(AUTH_ID, AUTH_TOKEN);
    const pool = new Pool(server.url);
    const many = {
      ...MESSAGE,
      dst: ['+14155550001', '+14155550002'],
      text: 'Grüße 🥖',
      url: 'https://a.example/?b',
    };
    await messages.create({ ...many });
    const report = await throughTransport({ pool, timeoutMs: 10_000, signal: undefined }, () =>
      messages.create({ ...many }),
    );
    await pool.close();
    expect(report).toMatchObject({ status: 202, wasWritten: true, errorCode: null });
    const [own, ours] = server.posted;
    expect(ours?.body).toEqual(own?.body);
    expect([ours?.method, ours?.path]).toEqual([own?.method, own?.path]);
    for (const name of ['authorization', 'content-type', 'user-agent', 'content-length'])
      expect(ours?.headers[name]).toBe(own?.headers[name]);
  });

  it('a request that waits too long for a connection ends unwritten and never reaches the carrier', async () => {
    installTransport();
    const pool = new Pool(server.url, { connections: 1 });
    const messages = messagesOf(AUTH_ID, AUTH_TOKEN);
    const release: (() => void)[] = [];
    server.behave = (response, socket, posted) => {
      release.push(() => QUEUED(response, socket, posted));
    };
    const first = throughTransport({ pool, timeoutMs: 60_000, signal: undefined }, () =>
      messages.create({ ...MESSAGE, text: 'first' }),
    );
    await server.arrived(1);
    const late = await throughTransport({ pool, timeoutMs: 50, signal: undefined }, () =>
      messages.create({ ...MESSAGE, text: 'late' }),
    );
    expect(late).toMatchObject({ wasWritten: false, status: null, errorCode: 'TIMEOUT' });
    server.behave = QUEUED;
    for (const go of release) go();
    expect(await first).toMatchObject({ wasWritten: true, status: 202, errorCode: null });
    await throughTransport({ pool, timeoutMs: 60_000, signal: undefined }, () =>
      messages.create({ ...MESSAGE, text: 'third' }),
    );
    await pool.close();
    expect(server.posted.map(({ body }) => body['text'])).toEqual(['first', 'third']);
    // The one that was refused has not cost the connection.
    expect(new Set(server.posted.map(({ connection }) => connection)).size).toBe(1);
    expect(late).toMatchObject({ wasWritten: false, status: null, errorCode: 'TIMEOUT' });
  });

  it('a call that the SDK itself turns down writes nothing and does not reject', async () => {
    installTransport();
    const pool = new Pool(server.url);
    const report = await throughTransport({ pool, timeoutMs: 10_000, signal: undefined }, () =>
      messagesOf(AUTH_ID, AUTH_TOKEN).create({ ...MESSAGE, src: '' }),
    );
    await pool.close();
    expect(report).toMatchObject({ status: null, wasWritten: false });
    expect(server.posted).toEqual([]);
  });
});

import { Client } from 'plivo';
import { Pool } from 'undici';
import { REQUEST_MS_MAX } from '../../domain/dispatch/stragglers.ts';
import type { Carrier, SendRequest } from '../carrier.ts';
import { readAccountReport } from './account-standing.ts';
import { classify } from './classify.ts';
import { listFilters, readListReport } from './message-list.ts';
import { installTransport, throughTransport } from './sdk-transport.ts';

/** Credentials and limits of one carrier account. */
export interface PlivoOptions {
  readonly authId: string;
  readonly authToken: string;
  /** Origin of the API, without a slash at its end. */
  readonly apiUrl?: string;
  /** For a whole request; a hung call would hang for ever otherwise. */
  readonly timeoutMs?: number;
  /** Connections kept open, and so requests at once. */
  readonly connections?: number;
}

/** Plivo's API for everybody who does not say otherwise. */
export const PLIVO_API_URL = 'https://api.plivo.com';

const CONNECT_TIMEOUT_MS = 5_000;
const CONNECTIONS = 100;

/** What the SDK's `messages` can do, as far as it is used; the SDK's own typings do not fit its code. */
interface Messages {
  readonly create: (message: Readonly<Record<string, unknown>>) => Promise<unknown>;
  readonly list: (filters: Readonly<Record<string, unknown>>) => Promise<unknown>;
}

/** The same of the SDK's `accounts`. */
interface Accounts {
  readonly get: () => Promise<unknown>;
}

/** A client of one Plivo account through the official SDK. `send` never rejects, retries or follows a redirect. */
export function createPlivoCarrier(options: PlivoOptions): Carrier {
  installTransport();
  const apiUrl = options.apiUrl ?? PLIVO_API_URL;
  const timeoutMs = options.timeoutMs ?? REQUEST_MS_MAX;
  const pool = new Pool(apiUrl, {
    connections: options.connections ?? CONNECTIONS,
    pipelining: 1,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
  const client: { readonly messages: unknown; readonly accounts: unknown } = new Client(
    options.authId,
    options.authToken,
    {
      url: `${apiUrl}/v1/Account/${options.authId}`,
      timeout: timeoutMs,
    },
  );
  const messages = messagesOf(client.messages);
  const accounts = accountsOf(client.accounts);
  return {
    send: async (request, signal) => {
      const report = await throughTransport({ pool, timeoutMs, signal }, () =>
        messages.create(messageOf(request)),
      );
      return classify(report);
    },
    list: async (request, signal) => {
      const report = await throughTransport({ pool, timeoutMs, signal }, () =>
        messages.list(listFilters(request)),
      );
      return readListReport(report, request);
    },
    account: async (signal) =>
      readAccountReport(await throughTransport({ pool, timeoutMs, signal }, () => accounts.get())),
    close: () => pool.close(),
  };
}

function messagesOf(messages: unknown): Messages {
  if (
    typeof messages === 'object' &&
    messages !== null &&
    'create' in messages &&
    typeof messages.create === 'function' &&
    'list' in messages &&
    typeof messages.list === 'function'
  ) {
    const { create, list } = messages;
    return {
      create: async (message) => create.call(messages, message),
      list: async (filters) => list.call(messages, filters),
    };
  }
  throw new Error('The plivo SDK has no messages.create or list. Pin the version in package.json.');
}

function accountsOf(accounts: unknown): Accounts {
  if (
    typeof accounts === 'object' &&
    accounts !== null &&
    'get' in accounts &&
    typeof accounts.get === 'function'
  ) {
    const { get } = accounts;
    return { get: async () => get.call(accounts) };
  }
  throw new Error('The plivo SDK has no accounts.get. Pin the version in package.json.');
}

function messageOf(request: SendRequest): Record<string, unknown> {
  return {
    src: request.from,
    dst: request.to.length === 1 ? request.to[0] : [...request.to],
    text: request.text,
    url: request.callbackUrl,
    method: 'POST',
    ...(request.mediaUrls.length === 0
      ? { type: 'sms' }
      : { type: 'mms', media_urls: [...request.mediaUrls] }),
  };
}

import { Client } from 'plivo';
import { Pool } from 'undici';
import type { Carrier, SendRequest, SendResult } from '../carrier.ts';
import { ANSWER_TOO_LARGE, type HttpReport, installTransport, throughTransport } from './sdk-transport.ts';

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

const TIMEOUT_MS = 15_000;
const CONNECT_TIMEOUT_MS = 5_000;
const CONNECTIONS = 100;

/** What the SDK's `messages` can do, as far as it is used; the SDK's own typings do not fit its code. */
interface Messages {
  readonly create: (message: Readonly<Record<string, unknown>>) => Promise<unknown>;
}

/** A client of one Plivo account through the official SDK. `send` never rejects, retries or follows a redirect. */
export function createPlivoCarrier(options: PlivoOptions): Carrier {
  installTransport();
  const apiUrl = options.apiUrl ?? PLIVO_API_URL;
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const pool = new Pool(apiUrl, {
    connections: options.connections ?? CONNECTIONS,
    pipelining: 1,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
  });
  const client: { readonly messages: unknown } = new Client(options.authId, options.authToken, {
    url: `${apiUrl}/v1/Account/${options.authId}`,
    timeout: timeoutMs,
  });
  const messages = messagesOf(client.messages);
  return {
    send: async (request, signal) => {
      const report = await throughTransport({ pool, timeoutMs, signal }, () =>
        messages.create(messageOf(request)),
      );
      return classify(report);
    },
    close: () => pool.close(),
  };
}

function messagesOf(messages: unknown): Messages {
  if (
    typeof messages === 'object' &&
    messages !== null &&
    'create' in messages &&
    typeof messages.create === 'function'
  ) {
    const { create } = messages;
    return { create: async (message) => create.call(messages, message) };
  }
  throw new Error('The plivo SDK has no messages.create. Pin the version in package.json.');
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

/** Says what is known after a request, and no more: see `SendResult`. */
function classify(report: HttpReport): SendResult {
  const { status } = report;
  if (report.errorCode !== null || status === null) return classifyFailure(report);
  if (status >= 200 && status < 300) return classifyAnswer(report.body);
  if (status === 429)
    return { kind: 'not_accepted', cause: 'rate_limited', retryAfterMs: retryAfterMs(report) };
  if (status === 402) return { kind: 'not_accepted', cause: 'credit', retryAfterMs: null };
  if (status === 401 || status === 403)
    return { kind: 'not_accepted', cause: 'credentials', retryAfterMs: null };
  if (status >= 400 && status < 500) return { kind: 'rejected', httpStatus: status };
  return { kind: 'unknown', cause: 'server_error' };
}

function classifyFailure(report: HttpReport): SendResult {
  if (!report.wasWritten) return { kind: 'not_accepted', cause: 'not_written', retryAfterMs: null };
  if (report.errorCode === ANSWER_TOO_LARGE) return { kind: 'unknown', cause: 'malformed_answer' };
  const isTimeout = ['TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'].includes(
    report.errorCode ?? '',
  );
  return { kind: 'unknown', cause: isTimeout ? 'timeout' : 'reset' };
}

function classifyAnswer(body: string): SendResult {
  if (body.trim() === '') return { kind: 'unknown', cause: 'empty_answer' };
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return { kind: 'unknown', cause: 'malformed_answer' };
  }
  const uuids = textsIn(answer, 'message_uuid');
  const invalidNumbers = textsIn(answer, 'invalid_number').map((number) =>
    number.startsWith('+') ? number : `+${number}`,
  );
  if (uuids.length === 0 && invalidNumbers.length === 0) return { kind: 'unknown', cause: 'empty_answer' };
  return { kind: 'accepted', uuids, invalidNumbers };
}

function textsIn(answer: unknown, field: string): string[] {
  if (typeof answer !== 'object' || answer === null) return [];
  const value: unknown = Object.entries(answer).find(([name]) => name === field)?.[1];
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

const RETRY_AFTER_MS_MAX = 60 * 60_000;

/** Retry-After in seconds or as an HTTP date (RFC 9110, 10.2.3); null when it is neither. */
function retryAfterMs(report: HttpReport): number | null {
  const header = report.headers['retry-after'];
  if (typeof header !== 'string') return null;
  const delayMs = /^\d+$/.test(header) ? Number(header) * 1_000 : httpDateMs(header) - Date.now();
  return Number.isNaN(delayMs) ? null : Math.min(Math.max(0, delayMs), RETRY_AFTER_MS_MAX);
}

/** Date.parse reads nearly anything with a digit in it as a date, and a date long past would be a retry at once. */
function httpDateMs(text: string): number {
  return text.endsWith(' GMT') ? Date.parse(text) : Number.NaN;
}

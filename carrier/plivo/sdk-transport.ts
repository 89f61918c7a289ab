import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
import type { Dispatcher, Pool } from 'undici';
import { ANSWER_TOO_LARGE } from './classify.ts';
import type { HttpReport } from './http-report.ts';

/** One call of the SDK: the connections it goes over and the report that is filled in. */
interface SdkCall {
  readonly pool: Pool;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly report: HttpReport;
}

/** What the SDK hands to its HTTP client. */
interface SdkRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly data?: unknown;
}

type AxiosRequest = (this: unknown, config: SdkRequest, more?: unknown) => Promise<unknown>;

/** Resolved from inside the SDK, so it is the SDK's own copy and no dependency of ours. */
const SDK_HTTP_CLIENT = 'axios';
const ANSWER_BYTES_MAX = 1_048_576;
const calls = new AsyncLocalStorage<SdkCall>();
let isInstalled = false;

/**
 * Puts a thin undici call under the SDK. The SDK's own HTTP client costs most of its time and hides status,
 * headers and whether a byte was written; its API, encoding and authentication stay in the path. Calls outside
 * `throughTransport` go the SDK's own way. Throws when the SDK's internals are not where they are expected.
 */
export function installTransport(): void {
  if (isInstalled) return;
  const require = createRequire(createRequire(import.meta.url).resolve('plivo'));
  const prototype = axiosPrototype(require(SDK_HTTP_CLIENT));
  const original = prototype._request;
  prototype._request = function request(config, more) {
    const call = calls.getStore();
    return call === undefined ? original.call(this, config, more) : send(call, config);
  };
  isInstalled = true;
}

function axiosPrototype(module: unknown): { _request: AxiosRequest } {
  if ((typeof module === 'function' || typeof module === 'object') && module !== null && 'Axios' in module) {
    const { Axios } = module;
    if (typeof Axios === 'function' && typeof Axios.prototype?._request === 'function')
      return Axios.prototype;
  }
  throw new Error(
    'The plivo SDK no longer sends through axios as this version expects. Pin the version in package.json.',
  );
}

/** Runs one call of the SDK over our connections. Resolves with what became of its request; never rejects. */
export async function throughTransport(
  options: Omit<SdkCall, 'report'>,
  call: () => Promise<unknown>,
): Promise<HttpReport> {
  const report: HttpReport = { wasWritten: false, status: null, headers: {}, body: '', errorCode: null };
  await calls.run({ ...options, report }, call).catch(() => {
    // What failed stands in the report; the SDK's errors carry numbers and texts and end here.
  });
  return report;
}

async function send(call: SdkCall, config: SdkRequest): Promise<unknown> {
  await dispatch(call, config);
  // The SDK reads an answer of its own shape; ours is the report.
  return { status: 200, data: {}, headers: {}, config };
}

function dispatch(call: SdkCall, config: SdkRequest): Promise<void> {
  const { report, pool, signal, timeoutMs } = call;
  const url = new URL(config.url);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let isOver = false;
    let started: Dispatcher.DispatchController | null = null;
    const end = (errorCode: string | null): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      report.errorCode = errorCode;
      report.body = Buffer.concat(chunks).toString('utf8');
      resolve();
    };
    // A request that still waits for a connection ends too, and is refused below when its turn comes.
    const cancel = (errorCode: string): void => {
      end(errorCode);
      started?.abort(new Error(errorCode));
    };
    const onAbort = (): void => cancel('ABORTED');
    const timer = setTimeout(() => cancel('TIMEOUT'), timeoutMs);
    if (signal?.aborted === true) {
      end('ABORTED');
      return;
    }
    signal?.addEventListener('abort', onAbort, { once: true });
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: (controller) => {
        // To throw ends the request before its first byte and keeps the connection, which to abort would not.
        if (isOver) throw new Error('The request has ended while it waited for a connection.');
        report.wasWritten = true;
        started = controller;
      },
      onResponseStart: (_controller, status, headers) => {
        report.status = status;
        report.headers = headers;
      },
      onResponseData: (_controller, chunk) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX) cancel(ANSWER_TOO_LARGE);
        else chunks.push(chunk);
      },
      onResponseEnd: () => end(null),
      onResponseError: (_controller, error) => end(codeOf(error)),
    };
    const body = config.data === undefined || config.data === '' ? null : JSON.stringify(config.data);
    pool.dispatch(
      {
        origin: url.origin,
        // The SDK asks for the account itself with a second slash at the end.
        path: url.pathname.replace(/\/+$/, '/') + url.search,
        method: config.method.toUpperCase() === 'GET' ? 'GET' : 'POST',
        headers: { ...config.headers, accept: 'application/json' },
        body,
      },
      handler,
    );
  });
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : 'UNKNOWN';
}

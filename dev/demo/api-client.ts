/** A small client of Carillon's own API, for the demo and the tests. */
export interface ApiClient {
  readonly get: <Body>(path: string) => Promise<Body>;
  readonly post: <Body>(path: string, body: unknown) => Promise<Body>;
  readonly put: <Body>(path: string, body: unknown) => Promise<Body>;
  readonly patch: <Body>(path: string, body: unknown) => Promise<Body>;
  readonly remove: <Body>(path: string) => Promise<Body>;
  /** A raw body of another kind than JSON. */
  readonly send: <Body>(
    method: 'POST' | 'PUT',
    path: string,
    body: Buffer,
    contentType: string,
  ) => Promise<Body>;
}

/** Calls with one key. Rejects with the problem's words when an answer is not a success. */
export function createApiClient(
  url: string,
  key: string,
  headers: Readonly<Record<string, string>> = {},
): ApiClient {
  const call = async <Body>(
    method: string,
    path: string,
    body: Buffer | string | null,
    contentType: string,
  ): Promise<Body> => {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...headers,
        ...(body === null ? {} : { 'content-type': contentType }),
      },
      ...(body === null ? {} : { body }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    // The API's own schemas have checked the answer.
    return JSON.parse(text) as Body;
  };
  return {
    get: (path) => call('GET', path, null, ''),
    post: (path, body) => call('POST', path, JSON.stringify(body), 'application/json'),
    put: (path, body) => call('PUT', path, JSON.stringify(body), 'application/json'),
    patch: (path, body) => call('PATCH', path, JSON.stringify(body), 'application/json'),
    remove: (path) => call('DELETE', path, null, ''),
    send: (method, path, body, contentType) => call(method, path, body, contentType),
  };
}

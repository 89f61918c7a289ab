import { createHmac, timingSafeEqual } from 'node:crypto';

/** A request that claims to come from the carrier. */
export interface SignedRequest {
  readonly method: string;
  /** The public URL with its query, as the carrier called it. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The form's fields. */
  readonly params: Readonly<Record<string, string>>;
  readonly authToken: string;
  /** V2 signs neither query nor body, so it counts alone only where an operator has said so. */
  readonly acceptV2: boolean;
}

/** Whether Plivo has signed the request: V3 where its headers are present, else V2 if that is accepted. */
export function verifyPlivoSignature(request: SignedRequest): boolean {
  const { headers } = request;
  const v3 = [header(headers, 'x-plivo-signature-v3'), header(headers, 'x-plivo-signature-ma-v3')];
  const v3Nonce = header(headers, 'x-plivo-signature-v3-nonce');
  if (v3Nonce !== '' || v3.some((one) => one !== '')) {
    return (
      v3Nonce !== '' &&
      matches(v3, signV3(request.method, request.url, request.params, v3Nonce, request.authToken))
    );
  }
  const v2 = [header(headers, 'x-plivo-signature-v2'), header(headers, 'x-plivo-signature-ma-v2')];
  const v2Nonce = header(headers, 'x-plivo-signature-v2-nonce');
  return request.acceptV2 && v2Nonce !== '' && matches(v2, signV2(request.url, v2Nonce, request.authToken));
}

/** One that comes several times counts as one with commas; '' where there is none. */
function header(headers: SignedRequest['headers'], name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : (value?.join(',') ?? '');
}

/** The headers with which Plivo signs a callback; the sandbox carrier sends them too. */
export function signPlivoCallback(callback: {
  readonly method: string;
  readonly url: string;
  readonly params: Readonly<Record<string, string>>;
  readonly authToken: string;
  readonly nonce: string;
}): Record<string, string> {
  const { method, url, params, authToken, nonce } = callback;
  const v2 = signV2(url, nonce, authToken);
  const v3 = signV3(method, url, params, nonce, authToken);
  return {
    'x-plivo-signature-v2': v2,
    'x-plivo-signature-ma-v2': v2,
    'x-plivo-signature-v2-nonce': nonce,
    'x-plivo-signature-v3': v3,
    'x-plivo-signature-ma-v3': v3,
    'x-plivo-signature-v3-nonce': nonce,
  };
}

/** Scheme, host, port and path, then the nonce. */
function signV2(url: string, nonce: string, authToken: string): string {
  return hmac(authToken, baseOf(url) + nonce);
}

/** Method-dependent URL with sorted query, the sorted fields of the form, a dot, the nonce. */
function signV3(
  method: string,
  url: string,
  params: Readonly<Record<string, string>>,
  nonce: string,
  authToken: string,
): string {
  const isPost = method.toUpperCase() === 'POST';
  // Callback URLs of ours have no query, and then there is nothing to take apart.
  const query = url.includes('?') ? [...new URL(url).searchParams] : [];
  const inUrl = isPost ? query : [...query, ...Object.entries(params)];
  const queryText = sorted(inUrl)
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  const form = isPost ? formText(params) : '';
  let text = baseOf(url);
  if (queryText !== '' || form !== '') text += `?${queryText}`;
  if (queryText !== '' && form !== '') text += '.';
  return hmac(authToken, `${text}${form}.${nonce}`);
}

/** The fields in the order of their names, which a form has once each. */
function formText(params: Readonly<Record<string, string>>): string {
  let text = '';
  for (const name of Object.keys(params).toSorted()) text += `${name}${params[name] ?? ''}`;
  return text;
}

function sorted(fields: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  const compare = (one: string, other: string): number => (one < other ? -1 : Number(one > other));
  return fields.toSorted((one, other) => compare(one[0], other[0]) || compare(one[1], other[1]));
}

/** As it is written: the carrier signs the URL that it was given, so an explicit port or a capital counts. */
function baseOf(url: string): string {
  return url.replace(/[?#].*$/s, '');
}

function hmac(authToken: string, text: string): string {
  return createHmac('sha256', authToken).update(text).digest('base64');
}

function matches(given: readonly string[], wanted: string): boolean {
  const expected = Buffer.from(wanted);
  // Every candidate is compared in full, so that the time taken says nothing.
  let found = false;
  for (const one of given) {
    // Mostly there is one, which thousands of times a second need not be cut.
    for (const candidate of one.includes(',') ? one.split(',') : [one]) {
      const bytes = Buffer.from(candidate.trim());
      if (bytes.length === expected.length && timingSafeEqual(bytes, expected)) found = true;
    }
  }
  return found;
}

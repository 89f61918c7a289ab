import { textFitsCarrier } from '../../domain/segments.ts';
import type { CallbackTarget } from './ledger.ts';
import type { SendOrder } from './message-desk.ts';

/** An order and the destinations that are no numbers. */
export type ReadOrder = SendOrder & { readonly invalid: readonly string[] };

const NUMBERS_MAX = 1_000;
const MEDIA_MAX = 10;
const EXPIRY_S_MIN = 5;
const EXPIRY_S_MAX = 10_799;
const SOURCE = /^(\+?[1-9][0-9]{6,14}|[0-9]{3,6}|[A-Za-z0-9 ._&+-]{1,11})$/;
const NUMBER = /^\+?[1-9][0-9]{7,14}$/;

type Refusal = { readonly error: string };

/** Reads the body of a send request, JSON or form alike, by Plivo's rules. */
export function readOrder(body: unknown): ReadOrder | Refusal {
  if (typeof body !== 'object' || body === null) return { error: 'the body has to be an object' };
  const fields: Readonly<Record<string, unknown>> = { ...body };
  const source = readSource(fields);
  if ('error' in source) return source;
  const recipients = readRecipients(fields['dst'], source.src);
  if ('error' in recipients) return recipients;
  const content = readContent(fields);
  if ('error' in content) return content;
  const callback = readCallback(fields);
  if (callback !== null && 'error' in callback) return callback;
  const expiry = readExpiry(fields['message_expiry']);
  if ('error' in expiry) return expiry;
  return { ...source, ...recipients, ...content, ...expiry, callback };
}

function readSource(fields: Readonly<Record<string, unknown>>): { readonly src: string } | Refusal {
  if (fields['powerpack_uuid'] !== undefined) return { error: 'the sandbox has no powerpacks' };
  const src = textIn(fields['src']).trim();
  if (src === '') return { error: 'src is required' };
  if (!SOURCE.test(src)) return { error: 'src is invalid' };
  return { src: /^[0-9]{7,}$/.test(src) ? `+${src}` : src };
}

/** Unique numbers in E.164 in their order; +1415... and 1415... are the same one. */
function readRecipients(
  wanted: unknown,
  src: string,
): { readonly dst: readonly string[]; readonly invalid: readonly string[] } | Refusal {
  const given = (Array.isArray(wanted) ? wanted.map(textIn) : textIn(wanted).split('<'))
    .map((number) => number.trim())
    .filter((number) => number !== '');
  if (given.length === 0) return { error: 'dst is required' };
  const isNumber = (number: string): boolean => NUMBER.test(number);
  const e164 = given.filter(isNumber).map((number) => (number.startsWith('+') ? number : `+${number}`));
  const dst = [...new Set(e164)];
  const invalid = [...new Set(given.filter((number) => !isNumber(number)))];
  if (dst.length + invalid.length > NUMBERS_MAX) return { error: `dst has more than ${NUMBERS_MAX} numbers` };
  if (dst.length === 0) return { error: 'dst has no valid number' };
  if (dst.includes(src)) return { error: 'src and dst cannot be the same' };
  return { dst, invalid };
}

function readContent(
  fields: Readonly<Record<string, unknown>>,
): { readonly text: string; readonly kind: 'sms' | 'mms' } | Refusal {
  const text = textIn(fields['text']);
  const { media_urls: urls, type = 'sms' } = fields;
  const media: readonly unknown[] = Array.isArray(urls) ? urls : urls === undefined ? [] : [urls];
  if (type !== 'sms' && type !== 'mms') return { error: 'type has to be sms or mms' };
  if (media.length > MEDIA_MAX) return { error: `media_urls has more than ${MEDIA_MAX} entries` };
  if (media.some((url) => !isUrl(textIn(url)))) return { error: 'media_urls has an entry that is no URL' };
  if (media.length > 0 && type === 'sms') return { error: 'media_urls needs type mms' };
  if (text === '' && media.length === 0) return { error: 'text is required' };
  if (!textFitsCarrier(text)) return { error: 'text is too long' };
  return { text, kind: type };
}

function readCallback(fields: Readonly<Record<string, unknown>>): CallbackTarget | null | Refusal {
  const { url, method = 'POST' } = fields;
  if (url === undefined || url === '') return null;
  if (method !== 'POST' && method !== 'GET') return { error: 'method has to be GET or POST' };
  return isUrl(textIn(url)) ? { url: textIn(url), method } : { error: 'url is no HTTP URL' };
}

function readExpiry(value: unknown): { readonly expiresInMs: number | null } | Refusal {
  if (value === undefined || value === '') return { expiresInMs: null };
  const seconds = Number(value);
  if (Number.isInteger(seconds) && seconds >= EXPIRY_S_MIN && seconds <= EXPIRY_S_MAX)
    return { expiresInMs: seconds * 1_000 };
  return { error: `message_expiry has to be ${EXPIRY_S_MIN} to ${EXPIRY_S_MAX} seconds` };
}

function isUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:/i.test(text);
}

/** Numbers may come as JSON numbers. */
function textIn(value: unknown): string {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' ? value : '';
}

import * as fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Carrier, SendRequest, SendResult } from '../../carrier/carrier.ts';
import { createPlivoCarrier } from '../../carrier/plivo/plivo-carrier.ts';
import { answer, AUTH_ID, AUTH_TOKEN, type PlivoServer, startPlivoServer } from './plivo-server.ts';

const UUIDS = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'];
const REQUEST: SendRequest = {
  from: '+14155550100',
  to: ['+14155550001'],
  text: 'The bakery opens at nine.',
  mediaUrls: [],
  callbackUrl: 'https://carillon.example/callbacks/plivo/status/post_1/mac?one=1&two=2',
};

let server: PlivoServer;
let carrier: Carrier;
beforeAll(async () => {
  server = await startPlivoServer();
});
beforeEach(() => {
  server.reset();
  carrier = createPlivoCarrier({
    authId: AUTH_ID,
    authToken: AUTH_TOKEN,
    apiUrl: server.url,
    timeoutMs: 10_000,
  });
});
afterEach(async () => {
  await carrier.close();
});
afterAll(async () => {
  await server.close();
});

describe('what is posted', () => {
  it('a text to one number is one signed-in POST of exactly the fields of an SMS', async () => {
    await carrier.send(REQUEST);
    expect(server.posted).toHaveLength(1);
    const [posted] = server.posted;
    expect(posted?.method).toBe('POST');
    expect(posted?.path).toBe(`/v1/Account/${AUTH_ID}/Message/`);
    expect(posted?.headers).toMatchObject({
      authorization: `Basic ${Buffer.from(`${AUTH_ID}:${AUTH_TOKEN}`).toString('base64')}`,
      'content-type': 'application/json',
      accept: 'application/json',
    });
    expect(posted?.body).toEqual({
      src: '+14155550100',
      dst: '+14155550001',
      text: 'The bakery opens at nine.',
      url: REQUEST.callbackUrl,
      method: 'POST',
      type: 'sms',
    });
  });

  it('many numbers go in one request, in their order', async () => {
    const to = Array.from({ length: 1_000 }, (_, index) => `+1415556${String(index).padStart(4, '0')}`);
    await carrier.send({ ...REQUEST, to });
    expect(server.posted.map(({ body }) => body['dst'])).toEqual([to.join('<')]);
  });

  it('media make it an MMS with every address', async () => {
    const mediaUrls = ['https://media.example/a.jpg', 'https://media.example/b.png'];
    await carrier.send({ ...REQUEST, mediaUrls });
    expect(server.posted[0]?.body).toMatchObject({ type: 'mms', media_urls: mediaUrls });
  });

  it('an MMS without a text is posted', async () => {
    await carrier.send({ ...REQUEST, text: '', mediaUrls: ['https://media.example/a.jpg'] });
    expect(server.posted[0]?.body).toMatchObject({ type: 'mms', dst: '+14155550001' });
  });

  it('a text arrives as it was written, whatever is in it', async () => {
    const texts = [
      'Grüße, señor Łukasz 🥖👩‍👩‍👧',
      'a < b & "c" \\ {d}\n\r\t',
      'السلام עולם',
      'e\u0301 \u200B\uFEFF',
      '  blanks  ',
    ];
    for (const text of texts) await carrier.send({ ...REQUEST, text });
    expect(server.posted.map(({ body }) => body['text'])).toEqual(texts);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1_600 }), async (text) => {
        await carrier.send({ ...REQUEST, text });
        expect(server.posted.at(-1)?.body['text']).toBe(text);
      }),
      { numRuns: 50 },
    );
  });

  it('an alphanumeric sender goes as it is', async () => {
    await carrier.send({ ...REQUEST, from: 'Bakery & Co' });
    expect(server.posted[0]?.body['src']).toBe('Bakery & Co');
  });
});

const rateLimited = (retryAfterMs: number | null): SendResult => ({
  kind: 'not_accepted',
  cause: 'rate_limited',
  retryAfterMs,
});
const unknown = (cause: Extract<SendResult, { kind: 'unknown' }>['cause']): SendResult => ({
  kind: 'unknown',
  cause,
});
const rejected = (httpStatus: number): SendResult => ({ kind: 'rejected', httpStatus });
const accepted = (uuids: readonly string[], invalidNumbers: readonly string[] = []): SendResult => ({
  kind: 'accepted',
  uuids,
  invalidNumbers,
});
const queued = { message: 'message(s) queued', message_uuid: UUIDS, api_id: 'a' };
const refused = { api_id: 'a', error: 'No. +14155550001' };
const html = '<html><body>Bad Gateway</body></html>';
const later = (value: string): Readonly<Record<string, string>> => ({ 'retry-after': value });

const ANSWERS: readonly (readonly [string, ReturnType<typeof answer>, SendResult])[] = [
  ['202 with ids', answer(202, queued), accepted(UUIDS)],
  ['200 with ids', answer(200, queued), accepted(UUIDS)],
  ['202 with one id as text', answer(202, { message_uuid: UUIDS[0] }), accepted(UUIDS.slice(0, 1))],
  [
    '202 with some invalid numbers',
    answer(202, { ...queued, invalid_number: ['14155550003', '+14155550004'] }),
    accepted(UUIDS, ['+14155550003', '+14155550004']),
  ],
  ['202 with invalid numbers only', answer(202, { invalid_number: ['12'] }), accepted([], ['+12'])],
  ['202 with an empty body', answer(202), unknown('empty_answer')],
  ['202 with blanks', answer(202, ' \r\n'), unknown('empty_answer')],
  ['204', answer(204), unknown('empty_answer')],
  ['202 with no ids', answer(202, { message: 'queued' }), unknown('empty_answer')],
  ['202 with an empty list', answer(202, { message_uuid: [] }), unknown('empty_answer')],
  ['202 with ids that are no texts', answer(202, { message_uuid: [1, null, {}] }), unknown('empty_answer')],
  ['202 with null', answer(202, 'null'), unknown('empty_answer')],
  ['202 with a list', answer(202, [UUIDS]), unknown('empty_answer')],
  ['202 with HTML', answer(202, html), unknown('malformed_answer')],
  ['202 with half of its JSON', answer(202, '{"message_uuid":["0000'), unknown('malformed_answer')],
  ['400', answer(400, refused), rejected(400)],
  ['404', answer(404, refused), rejected(404)],
  ['405', answer(405, refused), rejected(405)],
  ['413 with HTML', answer(413, html), rejected(413)],
  ['422 with an empty body', answer(422), rejected(422)],
  ['401', answer(401, refused), { kind: 'not_accepted', cause: 'credentials', retryAfterMs: null }],
  ['403', answer(403, refused), { kind: 'not_accepted', cause: 'credentials', retryAfterMs: null }],
  ['402', answer(402, refused), { kind: 'not_accepted', cause: 'credit', retryAfterMs: null }],
  ['429', answer(429, refused), rateLimited(null)],
  ['429 with seconds', answer(429, refused, later('7')), rateLimited(7_000)],
  ['429 with no wait', answer(429, refused, later('0')), rateLimited(0)],
  ['429 with days', answer(429, html, later('999999999')), rateLimited(60 * 60_000)],
  ['429 with a date past', answer(429, '', later('Sun, 06 Nov 1994 08:49:37 GMT')), rateLimited(0)],
  ['429 with a blank', answer(429, '', later('')), rateLimited(null)],
  ['429 with words', answer(429, '', later('soon')), rateLimited(null)],
  ['429 with words and a digit', answer(429, '', later('try 5')), rateLimited(null)],
  ['429 with a number below zero', answer(429, '', later('-5')), rateLimited(null)],
  ['429 with a fraction', answer(429, '', later('1.5')), rateLimited(null)],
  ['429 with a date that is none', answer(429, '', later('Never GMT')), rateLimited(null)],
  ['500', answer(500, refused), unknown('server_error')],
  ['502 with HTML', answer(502, html), unknown('server_error')],
  ['503 with Retry-After', answer(503, refused, later('1')), unknown('server_error')],
  ['504 with an empty body', answer(504), unknown('server_error')],
  ['500 that claims ids', answer(500, queued), unknown('server_error')],
  // A redirect says nothing about whether something behind it has taken the message, so it may not be sent again.
  ...[301, 302, 303, 307, 308].map(
    (status) =>
      [
        `${status}`,
        answer(status, '', { location: '/v1/elsewhere/' }),
        unknown('server_error'),
      ] satisfies (typeof ANSWERS)[number],
  ),
];

describe('what an answer means', () => {
  it.each(ANSWERS)(
    '%s is read as what it says, after one request and no other',
    async (_, behave, result) => {
      server.behave = behave;
      expect(await carrier.send(REQUEST)).toEqual(result);
      expect(server.posted.map(({ path }) => path)).toEqual([`/v1/Account/${AUTH_ID}/Message/`]);
    },
  );

  it('a Retry-After that is a date is a wait until then', async () => {
    const waitMs = 60_000;
    const date = new Date(Date.now() + waitMs).toUTCString();
    server.behave = answer(429, '', later(date));
    const result = await carrier.send(REQUEST);
    expect(result).toMatchObject({ kind: 'not_accepted', cause: 'rate_limited' });
    const { retryAfterMs } = result as Extract<SendResult, { kind: 'not_accepted' }>;
    // A date has whole seconds, and the answer took a moment.
    expect(retryAfterMs).toBeGreaterThan(waitMs - 10_000);
    expect(retryAfterMs).toBeLessThanOrEqual(waitMs);
  });

  it('no status makes a send reject, be sent twice, or tell number, text or secret', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 200, max: 599 }), fc.string(), async (status, body) => {
        server.reset();
        server.behave = answer(status, `${body}${REQUEST.text}${REQUEST.to.join('')}`);
        const result = await carrier.send(REQUEST);
        expect(server.posted).toHaveLength(1);
        const said = JSON.stringify(result);
        for (const secret of [REQUEST.text, '4155550001', AUTH_TOKEN]) expect(said).not.toContain(secret);
      }),
      { numRuns: 100 },
    );
  });
});

import { NOBODYS } from './route-table.ts';
import type { Things } from './seeded-things.ts';

/** One request that is wrong: what is wrong with it, and the answer that says so. */
export interface BadInput {
  readonly what: string;
  /** Method and path; `{kind}` stands for the id of the account's own thing of this kind. */
  readonly at: string;
  /** Sent as JSON, but a string as it is. */
  readonly body?: unknown;
  readonly type?: string;
  /** Who sends it, if it is nobody of the account. */
  readonly by?: 'operator';
  readonly answer: string;
  /** Where the fault lies; none when it is the whole request. */
  readonly pointer?: string;
}

/** The path with the ids of these things in it. */
export function fill(path: string, things: Things): string {
  return path.replaceAll(/\{(\w+)\}/g, (part, kind: string) =>
    kind in things ? things[kind as keyof Things] : part,
  );
}

const JSON_BODIES = [
  'POST /v1/contacts',
  'POST /v1/campaigns',
  'PATCH /v1/campaigns/{campaign}',
  'POST /v1/lists',
];
const MESSAGES = 'POST /v1/campaigns/{campaign}/messages';
const deep = (levels: number): unknown => (levels === 0 ? 'x' : { inner: deep(levels - 1) });

const WHOLE_BODIES: readonly BadInput[] = JSON_BODIES.flatMap((at) => [
  { what: 'malformed JSON', at, body: '{"name": ', answer: '400 malformed-request' },
  { what: 'JSON after JSON', at, body: '{} {}', answer: '400 malformed-request' },
  { what: 'an empty body', at, body: '', answer: '400 malformed-request' },
  {
    what: 'a body of 10 MB',
    at,
    body: `{"name": "${'x'.repeat(10_000_000)}"}`,
    answer: '413 body-too-large',
  },
  {
    what: 'another content type',
    at,
    body: 'name=x',
    type: 'text/xml',
    answer: '415 unsupported-media-type',
  },
  { what: 'a list for an object', at, body: [], answer: '400 invalid-field', pointer: '' },
  { what: 'null for an object', at, body: 'null', answer: '400 invalid-field', pointer: '' },
  { what: 'an unknown field', at, body: { nmae: 'x' }, answer: '400 invalid-field', pointer: '/nmae' },
  { what: 'a poisoned prototype', at, body: '{"__proto__": {"a": 1}}', answer: '400 malformed-request' },
  { what: 'deep nesting', at, body: { name: deep(100) }, answer: '400 malformed-request' },
  {
    what: 'very deep nesting',
    at,
    body: `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
    answer: '400 malformed-request',
  },
]);

const TEXTS: readonly BadInput[] = [
  ['POST /v1/lists', 'name'],
  ['POST /v1/campaigns', 'name'],
  ['POST /v1/people', 'name'],
  ['PATCH /v1/account', 'senderName'],
  ['POST /v1/contacts', 'firstName'],
  [MESSAGES, 'text'],
].flatMap(([at = '', field = '']) => [
  {
    what: 'a NUL byte',
    at,
    body: `{"${field}": "a\\u0000b"}`,
    answer: '400 invalid-text',
    pointer: `/${field}`,
  },
  {
    what: 'a lone surrogate',
    at,
    body: `{"${field}": "a\\ud800b"}`,
    answer: '400 invalid-text',
    pointer: `/${field}`,
  },
  {
    what: 'a lone low surrogate',
    at,
    body: `{"${field}": "\\udc00"}`,
    answer: '400 invalid-text',
    pointer: `/${field}`,
  },
  {
    what: 'a text too long',
    at,
    body: { [field]: 'x'.repeat(2_000) },
    answer: '400 invalid-field',
    pointer: `/${field}`,
  },
  {
    what: 'a number for a text',
    at,
    body: { [field]: 7 },
    answer: '400 invalid-field',
    pointer: `/${field}`,
  },
  {
    what: 'an object for a text',
    at,
    body: { [field]: {} },
    answer: '400 invalid-field',
    pointer: `/${field}`,
  },
]);

const QUERIES: readonly BadInput[] = (
  [
    ['/v1/campaigns?page=0', '/query/page'],
    ['/v1/campaigns?page=1e99', '/query/page'],
    ['/v1/campaigns?page=two', '/query/page'],
    ['/v1/campaigns?pageSize=1000', '/query/pageSize'],
    ['/v1/campaigns?pageSize=-1', '/query/pageSize'],
    ['/v1/campaigns?sort=colour', '/query/sort'],
    ['/v1/campaigns?order=sideways', '/query/order'],
    ['/v1/campaigns?status=lost', '/query/status/0'],
    ['/v1/campaigns?startFrom=yesterday', '/query/startFrom'],
    ['/v1/campaigns?startFrom=2027-01-01T10:00:00', '/query/startFrom'],
    ['/v1/campaigns?colour=red', '/query/colour'],
    ['/v1/campaigns?senderId=12345', '/query/senderId/0'],
    [`/v1/campaigns?q=${'x'.repeat(201)}`, '/query/q'],
    ['/v1/contacts?cursor=nonsense', '/query/cursor'],
    ['/v1/contacts?pageSize=201', '/query/pageSize'],
    ['/v1/lists?page=0', '/query/page'],
    ['/v1/people?page=0.5', '/query/page'],
    ['/v1/imports/{import}/refusals?cursor=-1', '/query/cursor'],
    ['/v1/campaigns/{launched}/recipients?state=lost', '/query/state/0'],
    ['/v1/campaigns/{launched}/recipients?cursor=99999999999999999999999', '/query/cursor'],
  ] as const
).map(([path, pointer]) => ({
  what: `the query ${path.slice(0, 60)}`,
  at: `GET ${path}`,
  answer: '400 invalid-field',
  pointer,
}));

const IDS: readonly BadInput[] = [
  { what: 'a malformed id', at: 'GET /v1/campaigns/1', answer: '400 invalid-field', pointer: '/params/id' },
  {
    what: 'an id of another kind',
    at: 'GET /v1/campaigns/{list}',
    answer: '400 invalid-field',
    pointer: '/params/id',
  },
  {
    what: 'SQL for an id',
    at: `GET /v1/lists/${encodeURIComponent(`' or 1=1 --`)}`,
    answer: '400 invalid-field',
    pointer: '/params/id',
  },
  {
    what: 'NUL in a path',
    at: 'GET /v1/campaigns/cmp_%00',
    answer: '400 invalid-text',
    pointer: '/params/id',
  },
  { what: 'a broken escape in a path', at: 'GET /v1/campaigns/%ff', answer: '400 malformed-request' },
  { what: 'an unknown campaign', at: `GET /v1/campaigns/cmp_${NOBODYS}`, answer: '404 not-found' },
  { what: 'an unknown contact', at: 'GET /v1/contacts/con_zzzzzzzzzzzzz', answer: '404 not-found' },
  {
    what: 'an unknown message',
    at: `PATCH /v1/campaigns/{campaign}/messages/msg_${NOBODYS}`,
    body: { text: 'x' },
    answer: '404 not-found',
  },
  {
    what: 'a preview for a contact beyond every key',
    at: 'POST /v1/campaigns/{campaign}/messages/{message}/preview',
    body: { contactId: 'con_7zzzzzzzzzzzz' },
    answer: '422 unknown-reference',
    pointer: '/contactId',
  },
  {
    what: 'an unknown list',
    at: 'POST /v1/campaigns',
    body: { listIds: [`lst_${NOBODYS}`] },
    answer: '422 unknown-reference',
    pointer: '/listIds/0',
  },
  { what: 'an unknown route', at: 'GET /v1/nothing', answer: '404 not-found' },
  { what: 'a method that is not there', at: 'PUT /v1/campaigns', body: {}, answer: '405 method-not-allowed' },
];

/** What is wrong with requests whatever they are about: bodies, texts, queries and ids. */
export const BAD_REQUESTS: readonly BadInput[] = [...WHOLE_BODIES, ...TEXTS, ...QUERIES, ...IDS];

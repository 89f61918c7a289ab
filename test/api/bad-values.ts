import type { BadInput } from './bad-requests.ts';
import { NOBODYS } from './route-table.ts';

type Row = readonly [what: string, at: string, body: unknown, pointer: string];

const MESSAGES = 'POST /v1/campaigns/{campaign}/messages';
const RESCHEDULE = 'POST /v1/campaigns/{launched}/reschedule';
const MEMBERS = 'POST /v1/lists/{list}/members';
const ZONE = 'America/New_York';

const answered =
  (answer: string) =>
  ([what, at, body, pointer]: Row): BadInput => ({ what, at, body, answer, pointer });
const moved = (local: string) => ({
  messages: [{ messageId: '{launchedMessage}', schedule: { local, zone: ZONE } }],
});
const contactIds = (count: number) =>
  Array.from({ length: count }, (_, index) => `con_${String(index).padStart(13, '0')}`);

/** The schema says that these are wrong. */
const INVALID: readonly Row[] = [
  ['a name of blanks', 'POST /v1/campaigns', { name: '   ' }, '/name'],
  ['an empty name', 'POST /v1/lists', { name: '' }, '/name'],
  ['a list twice', 'POST /v1/campaigns', { listIds: [`lst_${NOBODYS}`, `lst_${NOBODYS}`] }, '/listIds'],
  ['other words of acknowledgement', 'POST /v1/campaigns', { acknowledgement: 'Yes.' }, '/acknowledgement'],
  ['another kind', 'POST /v1/campaigns', { kind: 'drip' }, '/kind'],
  ['an empty list of members', MEMBERS, { contactIds: [] }, '/contactIds'],
  ['too many members', MEMBERS, { contactIds: contactIds(1_001) }, '/contactIds'],
  ['an expiry of a second', MESSAGES, { expiresAfterMs: 1_000 }, '/expiresAfterMs'],
  ['a huge number', MESSAGES, '{"expiresAfterMs": 1e400}', '/expiresAfterMs'],
  ['half a millisecond', MESSAGES, { expiresAfterMs: 60_000.5 }, '/expiresAfterMs'],
  ['a number as text', MESSAGES, { expiresAfterMs: '60000' }, '/expiresAfterMs'],
  ['a schedule without zone', MESSAGES, { schedule: { local: '2027-02-01T10:00' } }, '/schedule/zone'],
  ['a time as a number', MESSAGES, { schedule: { local: 1_800_000_000, zone: ZONE } }, '/schedule/local'],
  ['no schedules', RESCHEDULE, { messages: [] }, '/messages'],
  ['another start', 'POST /v1/campaigns/{campaign}/launch', { start: 'soon' }, '/start'],
  ['no start', 'POST /v1/campaigns/{campaign}/launch', {}, '/start'],
  [
    'a negative limit',
    'PATCH /v1/account',
    { spendLimit: { amountMicro: -1, currency: 'USD' } },
    '/spendLimit/amountMicro',
  ],
  ['a quota of nothing a day', 'POST /v1/quotas', { name: 'A', dayUnits: 0 }, '/dayUnits'],
  ['a share of more than all', 'POST /v1/quotas', { name: 'A', sharePercent: 101 }, '/sharePercent'],
  [
    'a negative budget',
    'POST /v1/campaigns',
    { budget: { amountMicro: -1, currency: 'USD' } },
    '/budget/amountMicro',
  ],
  [
    'half a millionth of a dollar',
    'PATCH /v1/account',
    { spendLimit: { amountMicro: 0.5, currency: 'USD' } },
    '/spendLimit/amountMicro',
  ],
  [
    'a suppression of no kind',
    'POST /v1/suppressions',
    { number: '+12125552001', kind: 'subscribed' },
    '/kind',
  ],
  ['an address without at', 'POST /v1/people', { name: 'A', address: 'nobody' }, '/address'],
  ['a key without scopes', 'POST /v1/keys', { name: 'A', scopes: [] }, '/scopes'],
  ["an operator's scope", 'POST /v1/keys', { name: 'A', scopes: ['operator'] }, '/scopes/0'],
  [
    'an expiry on 30 February',
    'POST /v1/keys',
    { name: 'A', scopes: ['read'], expiresAt: '2027-02-30T00:00:00Z' },
    '/expiresAt',
  ],
];

/** Its form is right, but what it says cannot be. */
const NOT_ACCEPTABLE: readonly Row[] = [
  ...[
    ['a month that does not exist', '2027-13-01T10:00'],
    ['a day that does not exist', '2027-02-30T10:00'],
    ['an hour that does not exist', '2027-02-01T24:01'],
    ['a time that the clocks skip', '2027-03-14T02:30'],
    ['an offset in a local time', '2027-03-14T10:00Z'],
    ['words for a time', 'tomorrow at ten'],
  ].map(([what = '', local]): Row => [
    what,
    MESSAGES,
    { schedule: { local, zone: ZONE } },
    '/schedule/local',
  ]),
  ...['Mars/Olympus', 'America/New York', '', '+05:00', '../../etc'].map((zone): Row => [
    `the zone "${zone}"`,
    MESSAGES,
    { schedule: { local: '2027-02-01T10:00', zone } },
    '/schedule/zone',
  ]),
  ...['call me', '123', '+1 555', '+999123456789', '12125552001x5x5', '٣٣'].flatMap((number) =>
    ['POST /v1/contacts', 'PATCH /v1/contacts/{contact}', 'POST /v1/contacts/find'].map((at): Row => [
      `the number ${number}`,
      at,
      { number },
      '/number',
    ]),
  ),
  ...['POST /v1/suppressions/find', 'POST /v1/suppressions/history'].map((at): Row => [
    'a number of letters',
    at,
    { number: 'call me' },
    '/number',
  ]),
  [
    'words about somebody who is erased',
    'POST /v1/suppressions',
    { number: '+12125552001', kind: 'erased', reason: 'Sam Miller asked for it.' },
    '/reason',
  ],
  ['a mapping without number', 'POST /v1/suppressions/imports', { mapping: { Why: 'reason' } }, '/mapping'],
  [
    'a schedule of a draft in 1970',
    MESSAGES,
    { schedule: { local: '1970-01-01T12:00', zone: ZONE } },
    '/schedule',
  ],
  [
    'a schedule in the year 9999',
    MESSAGES,
    { schedule: { local: '9999-12-31T12:00', zone: ZONE } },
    '/schedule',
  ],
  ['a merge field without end', MESSAGES, { text: 'Hi {{firstName' }, '/text'],
  ['more than the carrier takes', MESSAGES, { text: 'ü😀'.repeat(400) }, '/text'],
  ['a zone of an account', 'PATCH /v1/account', { timeZone: 'Mars/Olympus' }, '/timeZone'],
  ['hours of an account', 'PATCH /v1/account', { quietHours: { start: '25:00', end: '8' } }, '/quietHours'],
  ['a country of an account', 'PATCH /v1/account', { countries: ['US', 'XX'] }, '/countries/1'],
  ['a short code of letters', 'POST /v1/senders', { address: 'abcde', type: 'short_code' }, '/address'],
  ['a zone of a contact', 'PATCH /v1/contacts/{contact}', { timeZone: 'Mars' }, '/timeZone'],
  [
    'a custom field without a name',
    'PATCH /v1/contacts/{contact}',
    { custom: { 'a b': 'x' } },
    '/custom/a b',
  ],
  ['a mapping to nothing known', 'POST /v1/imports', { mapping: { Mobile: 'phone' } }, '/mapping/Mobile'],
];

const REFUSED: readonly BadInput[] = [
  ['a schedule in 1970', RESCHEDULE, moved('1970-01-01T12:00'), '/messages/0/schedule'] as const,
].map(answered('422 schedule-refused'));

const QUIET: readonly BadInput[] = ['20:00:00', '23:59', '07:59:59'].map((time) =>
  answered('422 quiet-hours')([
    `a schedule at ${time}`,
    RESCHEDULE,
    moved(`2027-02-01T${time}`),
    '/messages/0/schedule',
  ]),
);

const PHRASES = 'POST /v1/refused-phrases';
const phrase = (changes: Readonly<Record<string, string>>) => ({
  phrase: 'sure win',
  reason: 'It promises too much.',
  effectiveFrom: '2026-01-01',
  ...changes,
});
const OPERATORS: readonly BadInput[] = [
  ...[
    [
      'a day that no calendar has',
      PHRASES,
      phrase({ effectiveFrom: '2026-02-30' }),
      '/effectiveFrom',
    ] as const,
  ].map(answered('400 invalid-field')),
  ...[
    ['a phrase of nothing but dots', PHRASES, phrase({ phrase: '...' }), '/phrase'] as const,
    [
      'a phrase that ends before it begins',
      PHRASES,
      phrase({ effectiveTo: '2025-01-01' }),
      '/effectiveTo',
    ] as const,
  ].map(answered('422 not-acceptable-value')),
].map((input) => ({ ...input, by: 'operator' }));

const REASONS: readonly BadInput[] = [undefined, '   '].map((reason) => ({
  what: 'the removal of an opt-out without a reason',
  at: 'POST /v1/suppressions/{suppression}/remove',
  body: { reason },
  answer: '422 reason-required',
  pointer: '/reason',
}));

const FILES: readonly BadInput[] = [
  {
    what: 'media of no known kind',
    at: 'POST /v1/media',
    body: 'hello',
    type: 'image/png',
    answer: '422 not-acceptable-value',
  },
  {
    what: 'media of 10 MB',
    at: 'POST /v1/media',
    body: 'x'.repeat(10_000_000),
    type: 'image/png',
    answer: '413 body-too-large',
  },
  {
    what: 'a file of nothing',
    at: 'PUT /v1/imports/{import}/content',
    body: '',
    type: 'text/csv',
    answer: '400 malformed-request',
  },
];

/** Values that no resource can have. */
export const BAD_VALUES: readonly BadInput[] = [
  ...INVALID.map(answered('400 invalid-field')),
  ...NOT_ACCEPTABLE.map(answered('422 not-acceptable-value')),
  ...REFUSED,
  ...QUIET,
  ...OPERATORS,
  ...REASONS,
  ...FILES,
];

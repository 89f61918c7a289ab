import { type Static, Type } from 'typebox';
import { ACCOUNT_SORTS } from '../../db/accounts.ts';
import { AFFIX_LENGTH_MAX } from '../../domain/affixes.ts';
import { Q, severalOf, sortedBy } from '../list-query.ts';
import { PageQuery } from '../pages.ts';
import { idOf, INSTANT, MONEY, nullable } from './common.ts';

const QuietHoursInput = Type.Object(
  {
    start: Type.String({ maxLength: 5, examples: ['20:00'] }),
    end: Type.String({ maxLength: 5, examples: ['08:00'] }),
  },
  {
    additionalProperties: false,
    description: 'Half-open, in the account’s zone: 20:00:00 is refused, 08:00:00 allowed.',
  },
);

const fields = {
  name: Type.String({ minLength: 1, maxLength: 200, examples: ['Harbour Bakery'] }),
  timeZone: Type.String({ maxLength: 64, description: 'IANA name.', examples: ['America/New_York'] }),
  senderName: Type.String({ minLength: 1, maxLength: 60, examples: ['Harbour'] }),
  quietHours: Type.Optional(QuietHoursInput),
  defaultCountry: Type.String({ pattern: '^[A-Z]{2}$', examples: ['US'] }),
  countries: Type.Optional(
    Type.Array(Type.String({ pattern: '^[A-Z]{2}$' }), {
      minItems: 1,
      maxItems: 250,
      uniqueItems: true,
      description: 'Countries it may text; its own unless told. Others are skipped.',
    }),
  ),
  spendLimit: Type.Optional(nullable(MONEY)),
  prefix: Type.Optional(
    Type.String({
      maxLength: AFFIX_LENGTH_MAX,
      description:
        'What each text begins with where it lacks it; may use account.name and account.senderName.',
      examples: ['{{account.senderName}}: '],
    }),
  ),
  suffix: Type.Optional(
    Type.String({
      maxLength: AFFIX_LENGTH_MAX,
      description:
        'What each text ends with where it lacks it; not added to one that says how to opt out itself.',
      examples: [' Reply STOP to opt out'],
    }),
  ),
  reviewRequired: Type.Optional(
    Type.Boolean({ description: 'Whether each launch, start, restart and round has to show a review.' }),
  ),
  reviewTolerancePercent: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 100,
      description: 'By how much recipients and cost may differ from what was reviewed; 5 unless told.',
    }),
  ),
  resendAbsent: Type.Optional(
    Type.Boolean({
      description:
        "Whether a text of which nobody knows, and which the carrier's list does not have, is sent again by itself, once. It holds for what is texted from then on; whoever the carrier did reach gets it twice.",
    }),
  ),
};

/** What is given of an account. */
export const AccountInput = Type.Object(fields, { additionalProperties: false });

/** What can be changed of an account. */
export const AccountChanges = Type.Partial(
  Type.Object({
    ...fields,
    defaultSenderId: nullable(
      idOf('snd', {
        description:
          "What its parts of its parent's campaigns are sent from, if it may send what they hold; else, and where it is null, its oldest sender that may.",
      }),
    ),
  }),
  { additionalProperties: false },
);
export type AccountChanges = Static<typeof AccountChanges>;

/** Which accounts. */
export const AccountQuery = Type.Object(
  {
    ...PageQuery.properties,
    q: Q,
    defaultCountry: severalOf(Type.String({ pattern: '^[A-Z]{2}$' }), { maxItems: 250 }),
    ...sortedBy(ACCOUNT_SORTS, 'asc'),
  },
  { additionalProperties: false },
);

/** An account with its settings. */
export const AccountOutput = Type.Object({
  id: idOf('acc'),
  name: Type.String(),
  timeZone: Type.String(),
  senderName: Type.String(),
  quietHours: Type.Object({ start: Type.String(), end: Type.String() }),
  defaultCountry: Type.String(),
  countries: Type.Array(Type.String()),
  spendLimit: nullable(MONEY),
  prefix: Type.String(),
  suffix: Type.String(),
  reviewRequired: Type.Boolean(),
  reviewTolerancePercent: Type.Integer(),
  resendAbsent: Type.Boolean(),
  parentId: nullable(idOf('acc')),
  defaultSenderId: nullable(idOf('snd')),
  centralSend: Type.Boolean({
    description: 'Whether an operator lets it send campaigns for its sub-accounts.',
  }),
  disabledAt: nullable(INSTANT),
  disabledReason: nullable(Type.String()),
  createdAt: INSTANT,
});

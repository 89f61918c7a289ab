import { type Static, Type } from 'typebox';
import { TEST_NUMBERS_MAX, TEST_STATES } from '../../domain/test-send.ts';
import { idOf, INSTANT, nullable, oneOf } from './common.ts';
import { EXAMPLE_FIELDS } from './message-schemas.ts';

const Number = Type.String({ minLength: 1, maxLength: 64, examples: ['+12125552001'] });

/** A number to register. */
export const TestNumberInput = Type.Object(
  {
    number: Number,
    name: Type.Optional(
      nullable(
        Type.String({ minLength: 1, maxLength: 100, description: 'Whose it is.', examples: ['Alex'] }),
      ),
    ),
  },
  { additionalProperties: false },
);

/** A registered number. */
export const TestNumberOutput = Type.Object({
  id: idOf('tnr'),
  number: Type.String(),
  country: Type.String(),
  name: nullable(Type.String()),
  createdAt: INSTANT,
});

/** What is to be tested, for whom and with whom. */
export const TestInput = Type.Object(
  {
    ...EXAMPLE_FIELDS,
    numbers: Type.Optional(
      Type.Array(Number, {
        minItems: 1,
        maxItems: TEST_NUMBERS_MAX,
        uniqueItems: true,
        description: 'Registered test numbers; all of them unless told.',
      }),
    ),
    confirmQuietHours: Type.Optional(
      Type.Boolean({ description: 'That the test may go out although quiet hours last.' }),
    ),
  },
  { additionalProperties: false },
);
export type TestInput = Static<typeof TestInput>;

const TestFields = {
  id: idOf('tst'),
  number: nullable(Type.String({ description: 'Null once its owner has been erased.' })),
  contactId: nullable(
    Type.String({ description: 'The contact for whom it was rendered; null when it is a sub-account’s.' }),
  ),
  state: oneOf(TEST_STATES, {
    description: 'unknown: nobody knows whether it went out. It is never sent again by itself.',
  }),
  cause: nullable(
    Type.String({
      description:
        "Why it was refused or rejected, or is unknown. `not_in_list`: the carrier's list, asked long enough afterwards, does not have it.",
    }),
  ),
  errorCode: nullable(Type.String({ description: "The carrier's." })),
  inQuietHours: Type.Boolean({ description: 'Whether it was confirmed for quiet hours.' }),
  segments: Type.Integer(),
  cost: Type.Object({ amountMicro: Type.Integer(), currency: Type.Literal('USD') }),
  requestedBy: Type.String(),
  requestedAt: INSTANT,
};

/** One test of a message. */
export const TestOutput = Type.Object(TestFields);

/** Tests that have been ordered. */
export const TestsOrderedOutput = Type.Object({
  tests: Type.Array(TestOutput),
  url: Type.String({ description: 'Where to see what becomes of them.' }),
});

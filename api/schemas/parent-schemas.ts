import { Type } from 'typebox';
import { SUB_ACCOUNT_SORTS, SUB_ACCOUNT_STATES } from '../../db/sub-accounts.ts';
import { Q, sortedBy } from '../list-query.ts';
import { PageQuery } from '../pages.ts';
import { idOf, INSTANT, nullable, oneOf } from './common.ts';

/** What a parent sees of a sub-account among others. */
export const SubAccountOutput = Type.Object({
  id: idOf('acc'),
  name: Type.String({ examples: ['Harbour Bakery Reno'] }),
  senderName: Type.String({ examples: ['Harbour Reno'] }),
  timeZone: Type.String({ examples: ['America/Los_Angeles'] }),
  disabledAt: nullable(INSTANT),
  disabledReason: nullable(Type.String()),
  reportsGranted: Type.Boolean({ description: 'Whether it lets the parent see its reports.' }),
  createdAt: INSTANT,
});

/** Which sub-accounts. */
export const SubAccountListQuery = Type.Object(
  {
    ...PageQuery.properties,
    q: Q,
    state: Type.Optional(oneOf(SUB_ACCOUNT_STATES, { description: 'Both unless told.' })),
    ...sortedBy(SUB_ACCOUNT_SORTS, 'asc'),
  },
  { additionalProperties: false },
);

/** Why an account is disabled. */
export const DisableInput = Type.Object(
  {
    reason: Type.String({
      minLength: 1,
      maxLength: 500,
      pattern: '\\S',
      description: 'Its people and its parent read it.',
      examples: ['The branch has closed.'],
    }),
  },
  { additionalProperties: false },
);

/** Whether an account may send for its sub-accounts. */
export const CentralSendInput = Type.Object(
  { enabled: Type.Boolean({ examples: [true] }) },
  { additionalProperties: false },
);

/** Whose sub-account an account becomes; null for nobody's any more. */
export const ParentInput = Type.Object({ parentId: nullable(idOf('acc')) }, { additionalProperties: false });

/** What an account lets its parent see. */
export const GrantsInput = Type.Object(
  {
    reports: Type.Boolean({
      description:
        'Recipients, deliveries, replies, clicks, cost, contact timelines, the log, exports and live events.',
      examples: [true],
    }),
  },
  { additionalProperties: false },
);

/** What an account lets its parent see, and who that is. */
export const GrantsOutput = Type.Object({
  reports: Type.Boolean({ examples: [true] }),
  parentId: nullable(idOf('acc')),
});

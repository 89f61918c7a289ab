import { Type } from 'typebox';
import { SENDER_SORTS } from '../../db/senders.ts';
import { SENDER_TYPES } from '../../domain/sender.ts';
import { Q, severalOf, sortedBy } from '../list-query.ts';
import { PageQuery } from '../pages.ts';
import { idOf, INSTANT, nullable, oneOf } from './common.ts';

const REGISTRATIONS = ['pending', 'approved', 'lapsed'] as const;
const Pace = (description: string) =>
  Type.Integer({ minimum: 1, maximum: 10_000, description, examples: [100] });
const changeable = {
  supportsMms: Type.Optional(Type.Boolean()),
  registration: Type.Optional(oneOf(REGISTRATIONS, { description: 'Only approved senders send.' })),
  registrationExpiresOn: Type.Optional(
    nullable(
      Type.String({
        format: 'date',
        description: 'The last day in UTC on which the registration counts; you are told 14 days before.',
        examples: ['2027-01-31'],
      }),
    ),
  ),
  segmentsPerSecond: Type.Optional(
    nullable(Pace('SMS segments a second; null, as it is unless told, is unpaced.')),
  ),
  mmsPerSecond: Type.Optional(nullable(Pace('MMS a second; null, as it is unless told, is unpaced.'))),
  quotaIds: Type.Optional(
    Type.Array(idOf('quo'), {
      maxItems: 8,
      uniqueItems: true,
      description: 'Quotas that it shares with other senders: its carrier campaign, its brand, its own.',
    }),
  ),
};

/** What is given of a sender. */
export const SenderInput = Type.Object(
  {
    address: Type.String({ minLength: 1, maxLength: 20, examples: ['12345', '+14155552671', 'Harbour'] }),
    type: oneOf(SENDER_TYPES, { description: 'What kind of line it is.' }),
    ...changeable,
    carrierAccountId: Type.Optional(idOf('car')),
  },
  { additionalProperties: false },
);

/** What can be changed of a sender. */
export const SenderChanges = Type.Object(
  { ...changeable, disabled: Type.Optional(Type.Boolean()) },
  { additionalProperties: false },
);

/** Which senders. */
export const SenderQuery = Type.Object(
  {
    ...PageQuery.properties,
    q: Q,
    type: severalOf(oneOf(SENDER_TYPES, { description: 'What kind of line it is.' }), {
      maxItems: SENDER_TYPES.length,
    }),
    registration: severalOf(oneOf(REGISTRATIONS, { description: 'Only approved senders send.' }), {
      maxItems: REGISTRATIONS.length,
    }),
    carrierAccountId: severalOf(idOf('car'), { maxItems: 50 }),
    disabled: Type.Optional(Type.Boolean()),
    ...sortedBy(SENDER_SORTS, 'asc'),
  },
  { additionalProperties: false },
);

/** A sender. */
export const SenderOutput = Type.Object({
  id: idOf('snd'),
  address: Type.String(),
  type: oneOf(SENDER_TYPES, { description: 'What kind of line it is.' }),
  supportsMms: Type.Boolean(),
  registration: Type.String(),
  registrationExpiresOn: nullable(Type.String()),
  segmentsPerSecond: nullable(Type.Integer({ description: 'SMS segments; null is unpaced.' })),
  mmsPerSecond: nullable(Type.Integer({ description: 'MMS; null is unpaced.' })),
  carrierAccountId: idOf('car'),
  quotaIds: Type.Array(Type.String()),
  disabled: Type.Boolean(),
  createdAt: INSTANT,
});

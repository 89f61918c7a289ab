import { Type } from 'typebox';
import { RECIPIENT_STATES } from '../../domain/next-of-recipient.ts';
import { PageSize } from '../pages.ts';
import { idOf, nullable, oneOf } from './common.ts';

/** One recipient of a message. */
export const RecipientOutput = Type.Object({
  id: Type.Integer({ description: 'His number within the audience, from 1.' }),
  contactId: Type.String(),
  number: nullable(Type.String({ description: 'Null once he has been erased.' })),
  firstName: nullable(Type.String()),
  lastName: nullable(Type.String()),
  state: oneOf(RECIPIENT_STATES, { description: 'Where he stands.' }),
  reason: nullable(Type.String()),
  attempts: Type.Integer(),
});

/** Which recipients, and from where on. */
export const RecipientQuery = Type.Object(
  {
    messageId: Type.Optional(
      idOf('msg', { description: 'How they stand with this message; the first one unless told.' }),
    ),
    state: Type.Optional(
      Type.Array(oneOf(RECIPIENT_STATES, { description: 'Several are joined by or.' }), { maxItems: 12 }),
    ),
    cursor: Type.Optional(
      Type.String({ maxLength: 9, pattern: '^[0-9]+$', description: 'From the answer before.' }),
    ),
    pageSize: PageSize,
  },
  { additionalProperties: false },
);

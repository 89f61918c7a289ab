import { type Static, Type } from 'typebox';
import type { Contact, ContactChanges } from '../../db/contacts.ts';
import { numberHash } from '../../db/number-hash.ts';
import { CUSTOM_KEYS_MAX, CUSTOM_VALUE_LENGTH_MAX, NAME_LENGTH_MAX } from '../../domain/contact.ts';
import { NUMBER_ADVICE } from '../../domain/number-advice.ts';
import { type InvalidNumberReason, parsePhoneNumber } from '../../domain/phone-number.ts';
import { isCustomKey } from '../../domain/template.ts';
import { isTimeZone } from '../../domain/zoned-time.ts';
import { type FieldError, Problem } from '../problem.ts';
import { idOf, INSTANT, nullable } from '../schemas/common.ts';

/** A number in a body. */
export const NUMBER = Type.String({
  minLength: 1,
  maxLength: 64,
  description: "As people write it; without a + it is one of the account's default country.",
  examples: ['+12125552001'],
});
const nameLike = (example: string) =>
  nullable(Type.String({ maxLength: NAME_LENGTH_MAX, examples: [example] }));

const fields = {
  number: NUMBER,
  firstName: Type.Optional(nameLike('Uma')),
  lastName: Type.Optional(nameLike('Nguyen')),
  timeZone: Type.Optional(
    nullable(Type.String({ maxLength: 64, description: 'IANA name.', examples: ['America/New_York'] })),
  ),
  custom: Type.Optional(
    Type.Record(Type.String(), Type.String({ maxLength: CUSTOM_VALUE_LENGTH_MAX }), {
      maxProperties: CUSTOM_KEYS_MAX,
      description: 'Custom fields; a change replaces all of them.',
      examples: [{ city: 'Reno' }],
    }),
  ),
};

/** What is given of a new contact. */
export const ContactInput = Type.Object(fields, { additionalProperties: false });
/** What is given of a contact that changes. */
export const ContactPatch = Type.Partial(Type.Object(fields), {
  additionalProperties: false,
  minProperties: 1,
});
export type ContactPatch = Static<typeof ContactPatch>;
/** Whom to look for. The number stands in a body, because URLs end up in logs. */
export const ContactSearch = Type.Object({ number: NUMBER }, { additionalProperties: false });

/** A contact in an answer. */
export const ContactOutput = Type.Object({
  id: idOf('con'),
  number: Type.String({ description: 'E.164.', examples: ['+12125552001'] }),
  country: Type.String({ examples: ['US'] }),
  firstName: nullable(Type.String()),
  lastName: nullable(Type.String()),
  timeZone: nullable(Type.String()),
  custom: Type.Record(Type.String(), Type.String()),
  createdAt: INSTANT,
  updatedAt: INSTANT,
});

/** A contact as it is shown. */
export function contactView(contact: Contact): Static<typeof ContactOutput> {
  const { id, number, country, firstName, lastName, timeZone, custom, createdAt, updatedAt } = contact;
  return {
    id,
    number,
    country,
    firstName,
    lastName,
    timeZone,
    custom: { ...custom },
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}

/** Checks what a schema cannot, and gives it as the database takes it. Throws a Problem that names each field. */
export function toContactChanges(
  input: ContactPatch,
  context: { readonly hashKey: Buffer; readonly defaultCountry: string },
): ContactChanges {
  const errors: FieldError[] = [];
  let number: ContactChanges['number'];
  if (input.number !== undefined) {
    const parsed = parsePhoneNumber(input.number, context.defaultCountry);
    if (parsed.kind === 'invalid') errors.push(numberError(parsed.reason));
    else
      number = {
        number: parsed.number,
        country: parsed.country,
        hash: numberHash(context.hashKey, parsed.number),
      };
  }
  if (typeof input.timeZone === 'string' && !isTimeZone(input.timeZone)) {
    errors.push({ pointer: '/timeZone', message: 'Give an IANA time zone, such as America/New_York.' });
  }
  for (const key of Object.keys(input.custom ?? {})) {
    if (!isCustomKey(key)) {
      errors.push({
        pointer: `/custom/${key}`,
        message: 'A key begins with a letter and has letters, digits, _ and - only, 64 at most.',
      });
    }
  }
  if (errors.length > 0) {
    throw new Problem('not-acceptable-value', 'Some fields of the contact are not acceptable.', { errors });
  }
  return {
    ...(number === undefined ? {} : { number }),
    ...(input.firstName === undefined ? {} : { firstName: emptyToNull(input.firstName) }),
    ...(input.lastName === undefined ? {} : { lastName: emptyToNull(input.lastName) }),
    ...(input.timeZone === undefined ? {} : { timeZone: input.timeZone }),
    ...(input.custom === undefined ? {} : { custom: input.custom }),
  };
}

/** Why a number was not taken, and how to mend it. */
export function numberError(reason: InvalidNumberReason): FieldError {
  return { pointer: '/number', code: reason, message: NUMBER_ADVICE[reason] };
}

function emptyToNull(text: string | null): string | null {
  const trimmed = text?.trim() ?? '';
  return trimmed === '' ? null : trimmed;
}

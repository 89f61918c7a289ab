import { CUSTOM_VALUE_LENGTH_MAX, NAME_LENGTH_MAX } from '../contact.ts';
import { NUMBER_ADVICE } from '../number-advice.ts';
import type { RefusalReason } from './contact-row.ts';

const ADVICE: Readonly<Record<RefusalReason, string>> = {
  ...NUMBER_ADVICE,
  malformed_quotes:
    'A quoted field is not closed or goes on after its closing quote. Double a quote inside one.',
  row_too_long: 'The row is longer than a megabyte. Shorten it.',
  too_many_fields:
    'The row has more fields than the first row has names. Quote fields that hold the delimiter.',
  field_too_long: `Names have ${NAME_LENGTH_MAX} characters at most, other fields ${CUSTOM_VALUE_LENGTH_MAX}. Shorten it.`,
  undecodable_text: "Some characters do not fit the file's encoding. Save the file as UTF-8.",
  control_characters: 'The field holds control characters. Remove them.',
  unknown_kind: 'Give opt_out, undeliverable or manual; a file can suppress numbers but never lift anything.',
  erasure_in_file: 'An erasure takes more than a row: order it for one number at a time.',
  unknown_zone: 'Give an IANA time zone, such as America/New_York, or leave the field empty.',
};

/** How to mend a row that was refused, by its reason. */
export const REFUSAL_ADVICE: Readonly<Record<string, string>> = ADVICE;

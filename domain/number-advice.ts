import type { InvalidNumberReason } from './phone-number.ts';

/** How to mend a number that cannot be texted. */
export const NUMBER_ADVICE: Readonly<Record<InvalidNumberReason, string>> = {
  empty: 'Give a number, such as +12125552001.',
  too_long: 'Give one number of at most 15 digits.',
  not_a_number: 'Give the number in digits with its country code, such as +12125552001.',
  extension: 'Give the number without an extension.',
  impossible: 'It has too few or too many digits for its country. Check it, and its country code.',
  invalid: 'No number of its country begins like this. Check it, and its country code.',
  fixed_line: 'It is a landline, which cannot be texted. Give a mobile number.',
  toll_free: 'It is a toll-free number, which cannot be texted. Give a mobile number.',
  premium_rate: 'It is a number with special rates, which cannot be texted. Give a mobile number.',
  unsupported_type: 'Numbers of this kind cannot be texted. Give a mobile number.',
};

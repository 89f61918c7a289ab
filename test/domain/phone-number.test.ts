import * as fc from 'fast-check';
import { getCountries, getExampleNumber, parsePhoneNumberFromString } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/examples.mobile.json' with { type: 'json' };
import { describe, expect, test } from 'vitest';
import { countryOfNumber, isCountry, isE164, parsePhoneNumber } from '../../domain/phone-number.ts';
import type { ParsedPhoneNumber } from '../../domain/phone-number.ts';

const countries = getCountries();

/** What a valid number becomes when its E.164 form is parsed, together with the country that form shows. */
function readAgain(result: ParsedPhoneNumber): ParsedPhoneNumber {
  if (result.kind === 'invalid') return result;
  const again = parsePhoneNumber(result.number, 'FR');
  return again.kind === 'valid' ? { ...again, country: countryOfNumber(again.number) ?? 'none' } : again;
}

describe('numbers as people write them', () => {
  test.each([
    ['+14155550100', 'US', '+14155550100', 'US'],
    ['(415) 555-0100', 'US', '+14155550100', 'US'],
    ['1 415 555 0100', 'US', '+14155550100', 'US'],
    [' 415.555.0100\u00A0', 'US', '+14155550100', 'US'],
    ["'+14155550100", 'US', '+14155550100', 'US'],
    ['tel:+1-415-555-0100', 'GB', '+14155550100', 'US'],
    ['604 555 0100', 'US', '+16045550100', 'CA'],
    ['07400 123456', 'GB', '+447400123456', 'GB'],
    ['0044 7400 123456', 'DE', '+447400123456', 'GB'],
    ['011 44 7400 123456', 'US', '+447400123456', 'GB'],
    ['+44 (0) 7400 123456', 'US', '+447400123456', 'GB'],
    ['0151 23456789', 'DE', '+4915123456789', 'DE'],
    ['+٤٤٧٤٠٠١٢٣٤٥٦', 'US', '+447400123456', 'GB'],
    ['+１４１５５５５０１００', 'US', '+14155550100', 'US'],
    ['+14155550100', '', '+14155550100', 'US'],
  ])('%j in %s is %s', (raw, defaultCountry, number, country) => {
    expect(parsePhoneNumber(raw, defaultCountry)).toEqual({ kind: 'valid', number, country });
  });

  test.each([
    ['', 'empty'],
    [' \t', 'empty'],
    ["'", 'empty'],
    ['1'.repeat(65), 'too_long'],
    ['n/a', 'not_a_number'],
    ['4.47912E+11', 'not_a_number'],
    ['1-800-FLOWERS', 'not_a_number'],
    ['call +14155550100', 'not_a_number'],
    ['+14155550100 ext. 5', 'extension'],
    ['12345', 'impossible'],
    ['+1415555010', 'impossible'],
    ['+141555501000', 'impossible'],
    ['+1 555 555 0100', 'invalid'],
    ['+1 415 155 0100', 'invalid'],
    ['+44 20 7946 0958', 'fixed_line'],
    ['+49 30 123456', 'fixed_line'],
    ['+1 800 555 0100', 'toll_free'],
    ['+1 900 555 0100', 'premium_rate'],
    ['+44 70 1234 5678', 'unsupported_type'],
  ])('%j is refused: %s', (raw, reason) => {
    expect(parsePhoneNumber(raw, 'US')).toEqual({ kind: 'invalid', reason });
  });

  test('without a country to go by, a national number is refused', () => {
    expect(parsePhoneNumber('415 555 0100', 'XX')).toEqual({ kind: 'invalid', reason: 'not_a_number' });
  });
});

describe('any number', () => {
  test('an example mobile of each country is valid there, however it is written', () => {
    const failures = countries.filter((country) => {
      const example = getExampleNumber(country, examples);
      if (example === undefined) return false;
      const written = [example.number, example.formatNational(), example.formatInternational()];
      return written.some((raw) => {
        const result = parsePhoneNumber(raw, country);
        return result.kind === 'invalid' || result.number !== example.number;
      });
    });
    expect(failures).toEqual([]);
  });

  test('valid here is valid to the library, and stays what it is when read again', () => {
    const digits = fc.stringMatching(/^[1-9]\d{6,13}$/).map((text) => `+${text}`);
    const world = fc.oneof(digits, fc.constantFrom('+88100000000', '+80012345678', '+87012345678'));
    fc.assert(
      fc.property(world, fc.constantFrom(...countries), (raw, country) => {
        const result = parsePhoneNumber(raw, country);
        const library = parsePhoneNumberFromString(raw, { extract: false });
        // One look-up of the type stands for the library's own verdict, so the two have to agree.
        const refusedForItsForm =
          result.kind === 'invalid' && ['impossible', 'invalid'].includes(result.reason);
        expect(library === undefined || library.isValid() !== refusedForItsForm).toBe(true);
        expect(readAgain(result)).toEqual(result);
      }),
      { numRuns: 300 },
    );
  });

  test('a number of North America is what the library says, however it is written', () => {
    const area = fc.oneof(
      fc.constantFrom('212', '415', '604', '867', '600', '800', '900', '500', '876', '787', '305'),
    );
    const national = fc
      .tuple(
        fc.oneof(area, fc.stringMatching(/^[2-9]\d\d$/)),
        fc.stringMatching(/^\d{3}$/),
        fc.stringMatching(/^\d{4}$/),
      )
      .chain((groups) => fc.constantFrom('', '-', '.', ' ').map((separator) => groups.join(separator)));
    const written = fc
      .tuple(
        fc.constantFrom('+1', '1', '', '+1 ', '1-', '(', '+1 (', '-'),
        national,
        fc.constantFrom('', ')', ' '),
      )
      .map((pieces) => pieces.join(''));
    const defaultCountry = fc.constantFrom('US' as const, 'CA' as const, 'JM' as const, 'GB' as const);
    fc.assert(
      fc.property(written, defaultCountry, (raw, country) => {
        const result = parsePhoneNumber(raw, country);
        const library = parsePhoneNumberFromString(raw.trim(), { extract: false, defaultCountry: country });
        const type = library?.getType();
        const texted = type === 'FIXED_LINE_OR_MOBILE' || type === 'MOBILE' || type === 'VOIP';
        expect(result.kind === 'valid').toBe(texted);
        expect(result.kind === 'valid' ? [result.number, result.country] : null).toEqual(
          texted ? [library?.number, library?.country] : null,
        );
        expect(readAgain(result)).toEqual(result);
      }),
      { numRuns: 2_000 },
    );
  });

  test('no text makes it throw', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 80 }),
        fc.string({ maxLength: 3 }),
        (raw, country) => {
          expect(['valid', 'invalid']).toContain(parsePhoneNumber(raw, country).kind);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('forms', () => {
  test.each([
    ['+14155550100', true],
    ['+1234567', true],
    ['+123456', false],
    ['+1234567890123456', false],
    ['+04155550100', false],
    ['14155550100', false],
    ['+1 4155550100', false],
    ['+14155550100\n', false],
  ])('%j has the form of E.164: %s', (text, expected) => expect(isE164(text)).toBe(expected));

  test.each([
    ['US', true],
    ['GB', true],
    ['us', false],
    ['UK', false],
    ['001', false],
    ['', false],
    ['constructor', false],
  ])('%j is a country: %s', (code, expected) => expect(isCountry(code)).toBe(expected));

  test.each([
    ['+14155550100', 'US'],
    ['+16045550100', 'CA'],
    ['+447400123456', 'GB'],
    ['+80012345678', null],
    ['07400 123456', null],
  ])('%s belongs to %s', (number, country) => expect(countryOfNumber(number)).toBe(country));
});

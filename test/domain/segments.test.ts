import * as fc from 'fast-check';
import { SegmentedMessage } from 'sms-segments-calculator';
import { describe, expect, test } from 'vitest';
import { countSegments, gsmReplacement, measureText, textFitsCarrier } from '../../domain/segments.ts';

const extension = Array.from('^{}[]~\\|€');
const gsm = Array.from('aZ09 @£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!"#¤%&()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà\n');
const outside = ['’', '“', 'ç', 'Ж', '中', '—', '😀', '👩‍👧', '🇩🇪', 'e\u0301', '\t'];
const lengths = { minLength: 0, maxLength: 500 };
const gsmText = fc.array(fc.constantFrom(...gsm, ...extension), lengths).map((parts) => parts.join(''));
const extensionText = fc
  .record({
    lead: fc.integer({ min: 60, max: 320 }),
    tail: fc.array(fc.constantFrom('a', '€', '['), lengths),
  })
  .map(({ lead, tail }) => 'a'.repeat(lead) + tail.join(''));
const anyText = fc
  .array(fc.constantFrom(...gsm, ...extension, ...outside), lengths)
  .map((parts) => parts.join(''));
const unicodeText = fc
  .record({
    lead: fc.integer({ min: 60, max: 140 }),
    tail: fc.array(fc.constantFrom('a', '😀', '中'), lengths),
  })
  .map(({ lead, tail }) => `中${'a'.repeat(lead)}${tail.join('')}`);

/** The other counter counts UCS-2 texts the same way, and knows nothing of a text that is empty. */
function oracle(text: string): number {
  return text === '' ? 0 : new SegmentedMessage(text, 'auto').segmentsCount;
}

describe('segments', () => {
  test.each([
    ['an empty text', '', 0],
    ['160 GSM characters', 'a'.repeat(160), 1],
    ['161 GSM characters', 'a'.repeat(161), 2],
    ['306 GSM characters', 'a'.repeat(306), 2],
    ['307 GSM characters', 'a'.repeat(307), 3],
    ['80 extension characters', '€'.repeat(80), 1],
    ['81 extension characters', '€'.repeat(81), 2],
    ['an extension character that would straddle a boundary', `${'a'.repeat(152)}€${'a'.repeat(152)}`, 3],
    ['70 UCS-2 units', 'ж'.repeat(70), 1],
    ['71 UCS-2 units', 'ж'.repeat(71), 2],
    ['35 emoji', '😀'.repeat(35), 1],
    ['66 emoji', '😀'.repeat(66), 2],
    ['67 emoji, of which none straddles a boundary', '😀'.repeat(67), 3],
  ])('%s', (_name, text, expected) => {
    expect(countSegments(text)).toBe(expected);
    expect(measureText(text).segments).toBe(expected);
  });

  test.each([
    ['GSM texts', gsmText],
    ['extension characters at the boundaries', extensionText],
    ['mixed texts', anyText],
    ['plain ASCII', fc.string({ unit: 'grapheme-ascii', maxLength: 700 })],
    ['plain words', fc.stringMatching(/^[\n\r -Z_a-z]{60,500}$/)],
    ['surrogate pairs at the boundaries', unicodeText],
  ])('agree with another implementation: %s', (_name, texts) => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(countSegments(text)).toBe(oracle(text));
        expect(measureText(text).segments).toBe(oracle(text));
      }),
      { numRuns: 60 },
    );
  });
});

describe('a measured text', () => {
  test('says what is left in its last segment', () => {
    expect(measureText('Hi €')).toEqual({
      encoding: 'gsm7',
      segments: 1,
      units: 5,
      unitsPerSegment: 160,
      remaining: 155,
      forcing: [],
    });
    expect(measureText('ж'.repeat(71))).toMatchObject({
      encoding: 'ucs2',
      units: 71,
      unitsPerSegment: 67,
      remaining: 63,
    });
  });

  test('names each character that forces UCS-2 once, as a reader sees it', () => {
    expect(measureText('It’s a “deal”… 👩‍👧 it’s 👩‍👧').forcing).toEqual(['’', '“', '”', '…', '👩‍👧']);
  });

  test('a text whose forcing characters are taken away is GSM', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { encoding, forcing } = measureText(text);
        expect(forcing.length > 0).toBe(encoding === 'ucs2');
        const rest = forcing
          .toSorted((a, b) => b.length - a.length)
          .reduce((left, gone) => left.replaceAll(gone, ''), text);
        expect(measureText(rest).encoding).toBe('gsm7');
      }),
      { numRuns: 60 },
    );
  });

  test.each([
    ['’', "'"],
    ['“', '"'],
    ['—', '-'],
    ['…', '...'],
    ['e\u0301', 'é'],
    ['😀', null],
    ['中', null],
  ])('for %s one can write %j', (character, expected) => expect(gsmReplacement(character)).toBe(expected));

  test('every replacement is GSM', () => {
    const replacements = Array.from({ length: 0x2200 }, (_, code) =>
      gsmReplacement(String.fromCharCode(code)),
    );
    const encodings = replacements.filter((text) => text !== null).map((text) => measureText(text).encoding);
    expect(new Set(encodings)).toEqual(new Set(['gsm7']));
  });
});

describe('the carrier', () => {
  test.each([
    ['a'.repeat(1600), true],
    ['a'.repeat(1601), false],
    ['€'.repeat(800), true],
    [`${'€'.repeat(800)}a`, false],
    ['ж'.repeat(737), true],
    ['ж'.repeat(738), false],
    ['😀'.repeat(368), true],
    ['😀'.repeat(369), false],
    ['', true],
  ])('takes 1,600 GSM or 737 UCS-2 units (case %#)', (text, expected) => {
    expect(textFitsCarrier(text)).toBe(expected);
  });
});

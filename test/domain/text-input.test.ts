import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isWellFormedText } from '../../domain/text-input.ts';

test.each([
  ['', true],
  ['Hi 👩‍👧 Ünïcode\n\ttab', true],
  ['\u0000', false],
  ['a\u0007b', false],
  ['line\r\nbreak', false],
  ['\u001B[31m', false],
  ['\uD83D', false],
  ['\uDE00', false],
  ['\uDE00\uD83D', false],
  ['a\uD83Db', false],
  ['😀\uD83D', false],
])('%j is well formed: %s', (text, expected) => expect(isWellFormedText(text)).toBe(expected));

test('a text with surrogates is well formed exactly if it survives UTF-8', () => {
  const unit = fc.constantFrom('a', '\uD83D', '\uDE00', '\uDBFF', '\uDC00', '\uE000', '\uFFFF');
  fc.assert(
    fc.property(fc.array(unit), (units) => {
      const text = units.join('');
      expect(isWellFormedText(text)).toBe(Buffer.from(text, 'utf8').toString('utf8') === text);
    }),
  );
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyNames, NAME_LENGTH_MAX } from '../../domain/copy-name.ts';

function first(name: string, count: number): string[] {
  const names: string[] = [];
  for (const copy of copyNames(name)) {
    names.push(copy);
    if (names.length === count) break;
  }
  return names;
}

describe('the name of a copy', () => {
  it('says what it is a copy of, and is numbered where it is taken', () => {
    expect(first('Sale', 3)).toEqual(['Copy of Sale', 'Copy of Sale (2)', 'Copy of Sale (3)']);
    expect(first('Copy of Sale', 1)).toEqual(['Copy of Copy of Sale']);
  });

  it('stays within the limit, keeps its number and tears no character apart', () => {
    const names = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 220 });
    fc.assert(
      fc.property(names, (name) => {
        for (const [index, copy] of first(name, 12).entries()) {
          expect(copy.length).toBeLessThanOrEqual(NAME_LENGTH_MAX);
          expect(() => encodeURIComponent(copy)).not.toThrow();
          expect(copy.endsWith(index === 0 ? '' : ` (${index + 1})`)).toBe(true);
        }
      }),
    );
  });

  it('is a different one each time', () => {
    expect(new Set(first('x'.repeat(300), 50)).size).toBe(50);
  });
});

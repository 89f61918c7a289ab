import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePublicId, publicId } from '../../domain/public-id.ts';

const keyMax = 2n ** 63n - 1n;
const anyKey = fc.bigInt({ min: 0n, max: keyMax });

describe('public ids', () => {
  test.each([
    [0n, 'cmp_0000000000000'],
    ['1', 'cmp_0000000000001'],
    [32n, 'cmp_0000000000010'],
    [2n ** 35n, 'cmp_0000010000000'],
    [keyMax, 'cmp_7zzzzzzzzzzzz'],
  ])('%s is %s', (key, id) => expect(publicId('cmp', key)).toBe(id));

  test('come back as the key they were made of, under their own prefix only', () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        expect(parsePublicId('cmp', publicId('cmp', key))).toBe(key);
        expect(parsePublicId('cmp', publicId('acc', key))).toBeNull();
        expect(publicId('cmp', String(key))).toBe(publicId('cmp', key));
      }),
    );
  });

  test('sort as their keys do', () => {
    fc.assert(
      fc.property(anyKey, anyKey, (a, b) => {
        expect(publicId('rcp', a) < publicId('rcp', b)).toBe(a < b);
      }),
    );
  });

  test.each([
    'cmp_000000000000',
    'cmp_00000000000000',
    'cmp_000000000000A',
    'cmp_000000000000l',
    'cmp_000000000000u',
    'cmp_8000000000000',
    'cmp_zzzzzzzzzzzzz',
    'cmp_000000000001\n',
    'cmp0000000000001x',
    'CMP_0000000000001',
    '',
  ])('%j is none', (id) => expect(parsePublicId('cmp', id)).toBeNull());

  test.each([-1n, keyMax + 1n])('the key %s has none', (key) => {
    expect(() => publicId('cmp', key)).toThrow(RangeError);
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPostId, parsePostId } from '../../domain/callback-path.ts';

const anyPost = fc.record({
  month: fc
    .tuple(fc.integer({ min: 1970, max: 9999 }), fc.integer({ min: 1, max: 12 }))
    .map(([year, month]) => `${year}-${String(month).padStart(2, '0')}-01`),
  leaseId: fc.maxSafeNat(),
  request: fc.nat(127),
});

describe('the id of a post', () => {
  it('comes back from a path as it went in', () => {
    fc.assert(
      fc.property(anyPost, (post) => {
        expect(parsePostId(formatPostId(post))).toEqual(post);
      }),
    );
  });

  it.each([
    '',
    '202611',
    '202613-1-0',
    '202600-1-0',
    '202611--0',
    '202611-1-',
    '202611-1-0-0',
    '202611-zzzzzzzzzzz-0',
  ])('is nothing when the path says %j', (path) => {
    expect(parsePostId(path)).toBeNull();
  });

  it('never throws, whatever a prober writes', () => {
    fc.assert(
      fc.property(fc.string(), (path) => {
        const post = parsePostId(path);
        expect(post === null || Number.isSafeInteger(post.leaseId)).toBe(true);
      }),
    );
  });
});

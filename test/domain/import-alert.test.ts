import { expect, test } from 'vitest';
import { hasManyRefusals } from '../../domain/import/import-alert.ts';

test.each([
  [100, 0, false],
  [100, 9, false],
  [100, 10, true],
  [200, 10, true],
  [201, 10, false],
  [1_000_000, 49_999, false],
  [1_000_000, 50_000, true],
  [9, 9, false],
  [10, 10, true],
  [0, 0, false],
])('of %i rows %i refused needs somebody: %s', (read, refused, wanted) => {
  expect(hasManyRefusals({ read, refused })).toBe(wanted);
});

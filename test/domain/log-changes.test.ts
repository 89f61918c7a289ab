import { expect, test } from 'vitest';
import { changesBetween } from '../../domain/log-changes.ts';

test.each([
  ['nothing', { a: 1, b: [1, 2] }, { a: 1, b: [1, 2] }, null],
  ['one field', { a: 1, b: 2 }, { a: 1, b: 3 }, { from: { b: 2 }, to: { b: 3 }, fields: ['b'] }],
  ['a list', { a: ['x'] }, { a: ['x', 'y'] }, { from: { a: ['x'] }, to: { a: ['x', 'y'] }, fields: ['a'] }],
  ['a field that comes', {}, { a: 1 }, { from: { a: null }, to: { a: 1 }, fields: ['a'] }],
  ['a field that goes', { a: { b: 1 } }, {}, { from: { a: { b: 1 } }, to: { a: null }, fields: ['a'] }],
])('what an update changed is named with its values: %s', (_what, before, after, wanted) => {
  expect(changesBetween(before, after)).toEqual(wanted);
});

test('a field that is nobody’s business is named without its values', () => {
  expect(changesBetween({ name: 'A', on: true }, { name: 'B', on: false }, ['name'])).toEqual({
    from: { on: true },
    to: { on: false },
    fields: ['name', 'on'],
  });
  expect(changesBetween({ name: 'A' }, { name: 'B' }, ['name'])).toEqual({
    from: {},
    to: {},
    fields: ['name'],
  });
});

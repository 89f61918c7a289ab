import { expect, test } from 'vitest';
import { describeErrorCode, ERROR_CODES } from '../../domain/error-codes.ts';

test.each([
  ['000', 'no', false, null],
  ['20', 'yes', false, null],
  ['70', 'no', true, null],
  ['80', 'later', false, null],
  ['90', 'once', false, null],
  ['200', 'no', true, null],
  ['201', 'other_sender', false, null],
  ['300', 'yes', false, null],
  ['420', 'in_window', false, null],
  ['451', 'after_block', false, null],
  ['900', 'no', false, 'credit'],
  ['910', 'no', false, 'carrier_disabled'],
  ['1000', 'once', false, null],
])('code %s: retry %s, suppresses %s, suspends %s', (code, retry, suppresses, suspends) => {
  expect(describeErrorCode(code)).toMatchObject({ code, retry, suppresses, suspends });
});

test('leading zeros and space around a code mean nothing', () => {
  expect(describeErrorCode(' 080 ')).toEqual(describeErrorCode('80'));
  expect(describeErrorCode('0').meaning).toBe('delivered');
});

test.each(['777', '', 'abc', 'constructor'])(
  'the unknown code %j is terminal and has no effect on others',
  (code) => {
    expect(describeErrorCode(code)).toMatchObject({ code, retry: 'no', suppresses: false, suspends: null });
  },
);

test('a code that suppresses or suspends is never tried again by itself', () => {
  const consequential = ERROR_CODES.filter(({ suppresses, suspends }) => suppresses || suspends !== null);
  expect(new Set(consequential.map(({ retry }) => retry))).toEqual(new Set(['no']));
});

import { expect, test } from 'vitest';
import { describeErrorCode, ERROR_CODES } from '../../domain/error-codes.ts';

test.each([
  ['000', 'no', null, null],
  ['20', 'yes', null, null],
  ['70', 'no', 'undeliverable', null],
  ['80', 'later', null, null],
  ['90', 'once', null, null],
  ['200', 'no', 'opt_out', null],
  ['201', 'other_sender', null, null],
  ['300', 'yes', null, null],
  ['420', 'in_window', null, null],
  ['451', 'after_block', null, null],
  ['900', 'no', null, 'credit'],
  ['910', 'no', null, 'carrier_disabled'],
  ['1000', 'once', null, null],
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
    expect(describeErrorCode(code)).toMatchObject({ code, retry: 'no', suppresses: null, suspends: null });
  },
);

test('a code that suppresses or suspends is never tried again by itself', () => {
  const consequential = ERROR_CODES.filter(
    ({ suppresses, suspends }) => suppresses !== null || suspends !== null,
  );
  expect(new Set(consequential.map(({ retry }) => retry))).toEqual(new Set(['no']));
});

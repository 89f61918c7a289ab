import { expect, test } from 'vitest';
import { isSenderAddress } from '../../domain/sender.ts';

test.each([
  ['short_code', '12345', true],
  ['short_code', '123456', true],
  ['short_code', '1234', false],
  ['short_code', '1234567', false],
  ['short_code', '+12345', false],
  ['alphanumeric', 'ACME', true],
  ['alphanumeric', 'Acme Shop 1', true],
  ['alphanumeric', '7Eleven', true],
  ['alphanumeric', 'A', true],
  ['alphanumeric', '12345', false],
  ['alphanumeric', 'Acme Shop 12', false],
  ['alphanumeric', ' Acme', false],
  ['alphanumeric', 'Acme ', false],
  ['alphanumeric', 'Café', false],
  ['alphanumeric', '', false],
  ['10dlc', '+14155550100', true],
  ['long_code', '+447400123456', true],
  ['toll_free', '+18005550100', true],
  ['10dlc', '4155550100', false],
  ['long_code', 'ACME', false],
  ['toll_free', '12345', false],
] as const)('a %s sender can have the address %j: %s', (type, address, expected) => {
  expect(isSenderAddress(type, address)).toBe(expected);
});

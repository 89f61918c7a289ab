import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { fateOf, faultOf } from '../../carrier/sandbox/magic-numbers.ts';
import { isRetried } from '../../domain/retry.ts';

test('the contacts of the demo get their last word at once: none is tried again after minutes, or never told of', async () => {
  const file = await readFile(new URL('../../examples/contacts.csv', import.meta.url), 'utf8');
  const numbers = file
    .split(/[,\n]/)
    .map((cell) => cell.replaceAll(/\D/g, ''))
    .filter((digits) => digits.length >= 10 && digits.length <= 11);
  expect(numbers.length).toBeGreaterThan(1_900);
  const slow = numbers.filter((number) => {
    const { final, errorCode, callbacks } = fateOf(number);
    const isTriedAgain = final === 'failed' && isRetried(String(errorCode));
    return isTriedAgain || callbacks === 'lost' || callbacks === 'late' || faultOf(number) !== null;
  });
  expect(slow).toEqual([]);
  // Not everybody is delivered to, or the demo would show nothing of failures.
  expect(new Set(numbers.map((number) => fateOf(number).final))).toEqual(
    new Set(['delivered', 'undelivered', 'failed']),
  );
});

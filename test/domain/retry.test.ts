import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../domain/error-codes.ts';
import { isRetried, retryDelayMs } from '../../domain/retry.ts';

const MINUTE_MS = 60_000;

describe('a new attempt after a report of failed', () => {
  it.each([
    ['300', [1, 5, 15, null]],
    ['20', [1, 5, 15, null]],
    ['80', [30, 120, null]],
    ['90', [15, null]],
    ['1000', [15, null]],
    ['420', [5, null]],
    ['030', [null]],
    ['70', [null]],
    ['200', [null]],
    ['900', [null]],
    ['450', [null]],
    ['77777', [null]],
  ] as const)('with code %s follows after these minutes and no further', (code, minutes) => {
    const delays = minutes.map((_, index) => retryDelayMs(code, index + 1));
    expect(delays).toEqual(minutes.map((one) => (one === null ? null : one * MINUTE_MS)));
    expect(isRetried(code)).toBe(minutes[0] !== null);
  });

  it('never follows without a code', () => {
    expect(isRetried(null)).toBe(false);
    expect(retryDelayMs(null, 1)).toBeNull();
  });

  it('is bounded for every code', () => {
    for (const { code } of ERROR_CODES) expect(retryDelayMs(code, 4), code).toBeNull();
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HOLD_KINDS, statusOfHolds, statusOfProgress } from '../../domain/campaign-status.ts';

describe('the status of a campaign', () => {
  it.each([
    [[], null],
    [['pause'], 'paused'],
    [['hold'], 'paused'],
    [['hold', 'pause'], 'paused'],
    [['hold', 'suspend'], 'suspended'],
    [['pause', 'suspend'], 'suspended'],
    [['suspend', 'pause', 'stop'], 'stopped'],
    [['stop', 'abort'], 'aborted'],
    [['something else'], null],
  ] as const)('under the holds %j is %s', (kinds, status) => {
    expect(statusOfHolds(kinds)).toBe(status);
  });

  it('hangs neither on the order of its holds nor on how often one is there', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...HOLD_KINDS)), (kinds) => {
        expect(statusOfHolds(kinds)).toBe(statusOfHolds([...new Set(kinds)].toReversed()));
      }),
    );
  });

  it('never gets lighter by one more hold', () => {
    const gravity = ['paused', 'suspended', 'stopped', 'aborted'];
    const holds = fc.array(fc.constantFrom(...HOLD_KINDS), { minLength: 1 });
    fc.assert(
      fc.property(holds, fc.constantFrom(...HOLD_KINDS), (kinds, more) => {
        const before = gravity.indexOf(statusOfHolds(kinds) ?? '');
        expect(gravity.indexOf(statusOfHolds([...kinds, more]) ?? '')).toBeGreaterThanOrEqual(before);
      }),
    );
  });

  it.each([
    [{ isStarted: false, isTexting: false, hasBegun: false }, 'ready'],
    [{ isStarted: true, isTexting: false, hasBegun: false }, 'scheduled'],
    [{ isStarted: true, isTexting: true, hasBegun: true }, 'sending'],
    [{ isStarted: true, isTexting: false, hasBegun: true }, 'started'],
  ] as const)('without holds at %j is %s', (facts, status) => {
    expect(statusOfProgress(facts)).toBe(status);
  });
});

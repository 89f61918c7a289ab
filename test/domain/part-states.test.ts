import { describe, expect, it } from 'vitest';
import {
  BY_PARENT,
  isPartRetryable,
  PART_STATES,
  wordsOfPartReason,
} from '../../domain/central/part-states.ts';
import { SUSPENSIONS } from '../../domain/suspension.ts';

describe('what a parent reads of a part', () => {
  it.each(Object.keys(SUSPENSIONS))('says of %s what mends it by what a parent can do', (cause) => {
    const words = wordsOfPartReason(cause) ?? '';
    expect(words).toMatch(/^[A-Z].*\.$/);
    // Only the sub-account's own people resume a campaign of theirs.
    expect(words).not.toMatch(/resume/i);
  });

  it.each([BY_PARENT, 'by_account', 'held', 'content_refused', 'account_left', 'account_disabled'])(
    'has words for %s',
    (reason) => {
      expect(wordsOfPartReason(reason)).toMatch(/^[A-Z].*\.$/);
      expect(wordsOfPartReason(reason)).not.toBe(wordsOfPartReason('of another version'));
    },
  );

  it('has none where there is no reason', () => {
    expect(wordsOfPartReason(null)).toBeNull();
  });

  it('lets the parent try again what was suspended by itself or rejected, and nothing else', () => {
    const retryable = PART_STATES.filter((state) => isPartRetryable(state, null));
    expect(retryable).toEqual(['suspended', 'rejected']);
    expect(isPartRetryable('suspended', 'no_sender')).toBe(true);
    expect(isPartRetryable('suspended', 'list_gone')).toBe(false);
    expect(isPartRetryable('stopped', 'content_refused')).toBe(true);
    expect(isPartRetryable('stopped', BY_PARENT)).toBe(false);
  });
});

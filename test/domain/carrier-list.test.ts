import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ASKING_TIMES,
  fasterAsking,
  type ListFacts,
  nextAskAt,
  readList,
} from '../../domain/carrier-list.ts';

const ALONE: ListFacts = {
  listed: [],
  bound: new Set(),
  accepted: 0,
  acceptedInTime: 0,
  unknown: 1,
  inFlight: 0,
  isComplete: true,
  isLate: true,
};

describe('what the list means for an unknown attempt', () => {
  it.each([
    ['nothing is proved of nobody', { unknown: 0 }, 'unclear', undefined],
    [
      'nothing is proved of who was resolved meanwhile',
      { listed: ['a'], bound: new Set(['a']), unknown: 0 },
      'unclear',
      undefined,
    ],
    ['one record for the only text of ours is that text', { listed: ['a'] }, 'accepted', 'a'],
    ['no record, asked late enough, is none', {}, 'absent', undefined],
    ['no record yet may still show', { isLate: false }, 'too_early', undefined],
    ['no record on the pages that were read is nothing', { isComplete: false }, 'unclear', undefined],
    ['a record on pages that go on is nothing', { listed: ['a'], isComplete: false }, 'unclear', undefined],
    [
      'a record of another attempt is not ours',
      { listed: ['a'], bound: new Set(['a']) },
      'absent',
      undefined,
    ],
    ['what is left beside it is', { listed: ['a', 'b'], bound: new Set(['a']) }, 'accepted', 'b'],
    ['one record for two unknown ones is nobody', { listed: ['a'], unknown: 2 }, 'unclear', undefined],
    ['two records for two are both, whichever', { listed: ['a', 'b'], unknown: 2 }, 'accepted', null],
    ['no record for two is neither', { unknown: 2 }, 'absent', undefined],
    [
      'a record that may be of an accepted one is nobody yet',
      { listed: ['a'], accepted: 1, acceptedInTime: 1, isLate: false },
      'too_early',
      undefined,
    ],
    [
      'a record that is of the accepted one leaves none',
      { listed: ['a'], accepted: 1, acceptedInTime: 1 },
      'absent',
      undefined,
    ],
    [
      'a record that is of the accepted one only if that went out in time is nobody',
      { listed: ['a'], accepted: 1 },
      'unclear',
      undefined,
    ],
    [
      'no record although an accepted one may have gone out before is none',
      { accepted: 1 },
      'absent',
      undefined,
    ],
    ['a record for each leaves no doubt', { listed: ['a', 'b'], accepted: 1 }, 'accepted', null],
    [
      'an accepted one that it lacks shows that it lags',
      { accepted: 1, acceptedInTime: 1 },
      'too_early',
      undefined,
    ],
    [
      'more records than texts of ours are of somebody else, too',
      { listed: ['a', 'b'] },
      'unclear',
      undefined,
    ],
    [
      'a record while another is being posted is nothing',
      { listed: ['a'], inFlight: 1 },
      'unclear',
      undefined,
    ],
    ['no record while another is being posted is nothing', { inFlight: 1 }, 'unclear', undefined],
  ] as const)('%s', (_name, facts, kind, uuid) => {
    const verdict = readList({ ...ALONE, ...facts });
    expect(verdict.kind).toBe(kind);
    expect('uuid' in verdict ? verdict.uuid : undefined).toBe(uuid);
  });

  it('is never acceptance where some of the unknown ones may be missing, and never absence where one is there', () => {
    const counts = fc.record({
      taken: fc.integer({ min: 0, max: 4 }),
      notTaken: fc.integer({ min: 0, max: 4 }),
      acceptedInTime: fc.integer({ min: 0, max: 3 }),
      acceptedAround: fc.integer({ min: 0, max: 3 }),
      shownAround: fc.integer({ min: 0, max: 3 }),
      bound: fc.integer({ min: 0, max: 3 }),
      isLate: fc.boolean(),
    });
    fc.assert(
      fc.property(
        counts,
        ({ taken, notTaken, acceptedInTime, acceptedAround, shownAround, bound, isLate }) => {
          fc.pre(taken + notTaken > 0 && shownAround <= acceptedAround);
          const shown = acceptedInTime + shownAround;
          const boundUuids = Array.from({ length: bound }, (_, index) => `bound-${index}`);
          const others = Array.from({ length: taken + shown }, (_, index) => `free-${index}`);
          const verdict = readList({
            ...ALONE,
            listed: [...others, ...boundUuids],
            bound: new Set(boundUuids),
            accepted: acceptedInTime + acceptedAround,
            acceptedInTime,
            unknown: taken + notTaken,
            isLate,
          });
          expect(verdict.kind === 'accepted' && notTaken > 0).toBe(false);
          expect(verdict.kind === 'absent' && taken > 0).toBe(false);
        },
      ),
    );
  });
});

describe('when the list is asked', () => {
  it('is less and less often, and at last at the horizon', () => {
    const minutes = [-1, 0, 2, 15, 60, 360, 1_440].map((asked) => asked * 60_000);
    const next = minutes.map((askedAt) => nextAskAt(ASKING_TIMES, 0, askedAt) / 60_000);
    expect(next).toEqual([0, 2, 15, 60, 360, 1_440, 1_440]);
  });

  it('is not made up for what was missed', () => {
    expect(nextAskAt(ASKING_TIMES, 0, 16 * 60_000)).toBe(60 * 60_000);
  });

  it('lets somebody be absent only when asked after the records must show', () => {
    const { afterMs, absentAfterMs, askDelaysMs } = ASKING_TIMES;
    const firstLate = askDelaysMs.findIndex((delayMs) => delayMs >= afterMs + absentAfterMs);
    expect(firstLate).toBe(2);
    expect(fasterAsking(ASKING_TIMES, 60).askDelaysMs[2]).toBe(15_000);
  });
});

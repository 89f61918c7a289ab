import { describe, expect, it } from 'vitest';
import {
  decideMessage,
  isLaneOvertaken,
  isOvertaken,
  type MessagePlanFacts,
  overtakenPlan,
} from '../../domain/dispatch/message-plan.ts';

const NOON = Date.parse('2026-03-03T12:00:00-05:00');
const FACTS: MessagePlanFacts = {
  isHeld: false,
  openWaves: [],
  expiresAt: null,
  quietHours: { start: '20:00', end: '08:00' },
  timeZone: 'America/New_York',
  pace: null,
};

describe('the lanes of a message', () => {
  const due = (left: number) => ({ dueAt: null, left });
  const later = (left: number) => ({ dueAt: NOON + 60_000, left });

  it.each([
    ['one for a single recipient', [due(1)], null, 1],
    ['one for as many as are not worth another', [due(256)], null, 1],
    ['two from there on', [due(257)], null, 2],
    ['two for as many in several waves', [due(200), due(57)], null, 2],
    ['four at most', [due(1_000_000)], null, 4],
    ['as many as those who are due are worth', [due(1), later(1_000_000)], null, 1],
    ['one where the pace needs no more', [due(1_000_000)], 200, 1],
    ['more where it does', [due(1_000_000)], 201, 4],
  ])('are %s', (_, openWaves, pace, lanes) => {
    expect(decideMessage({ ...FACTS, openWaves, pace }, NOON)).toEqual({ kind: 'send', lanes });
  });
});

describe('an order of a message that is carried out late', () => {
  const HOUR = 60 * 60_000;
  const AT = 10 * HOUR;

  it.each([
    ['nothing was done since', null, null, false],
    ['it is the newest plan, asked for again', AT, null, false],
    ['lanes of an earlier plan have entered', AT - 1, AT - 1, false],
    ['a later plan was made', AT + 1, null, true],
    ['lanes that it has ordered itself are at work', AT, AT, true],
    ['lanes of a later plan are at work', AT, AT + 1, true],
    ['the later plan is of before a clock was put back', AT + HOUR + 1, null, false],
  ] as const)('is overtaken or not where %s', (_, plannedAt, askedAt, overtaken) => {
    expect(isOvertaken(AT, { plannedAt, askedAt })).toBe(overtaken);
  });

  it('enters no lane once a later plan was made', () => {
    expect(isLaneOvertaken(AT, { plannedAt: AT })).toBe(false);
    expect(isLaneOvertaken(AT, { plannedAt: AT + 1 })).toBe(true);
    expect(isLaneOvertaken(AT, { plannedAt: AT + HOUR + 1 })).toBe(false);
  });

  it('is asked for again when it is not overtaken any more', () => {
    for (const newest of [
      { plannedAt: AT + 5, askedAt: null },
      { plannedAt: AT, askedAt: AT },
      { plannedAt: AT, askedAt: AT + 9 },
    ]) {
      const plan = overtakenPlan(AT, newest);
      if (plan.kind !== 'sleep') throw new Error(`It is to ${plan.kind}.`);
      expect(isOvertaken(plan.until, newest)).toBe(false);
    }
  });
});

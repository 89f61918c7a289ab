import { describe, expect, it } from 'vitest';
import { decideMessage, type MessagePlanFacts } from '../../domain/dispatch/message-plan.ts';

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

import { describe, expect, test } from 'vitest';
import { plannedMessages } from '../../domain/review/planned-messages.ts';
import { changesSince, type ReviewFacts } from '../../domain/review/review-facts.ts';

const facts: ReviewFacts = {
  action: 'launch',
  content: 'a',
  schedule: 'b',
  hours: 'c',
  sender: 'd',
  lists: 'e',
  recipients: 1_000,
  costMicroUsd: 8_000_000,
};
const codes = (changes: Partial<ReviewFacts>, tolerancePercent = 5): string[] =>
  changesSince(facts, { ...facts, ...changes }, tolerancePercent).map((change) => change.code);

describe('what has changed since a review', () => {
  test('is nothing when nothing has, whatever the tolerance', () => {
    expect(codes({})).toEqual([]);
    expect(codes({}, 0)).toEqual([]);
  });

  test('is each thing that was looked at, by itself and together', () => {
    const changed = { action: 'x', content: 'x', schedule: 'x', hours: 'x', sender: 'x', lists: 'x' };
    for (const [code, value] of Object.entries(changed)) expect(codes({ [code]: value })).toEqual([code]);
    expect(codes(changed)).toEqual(Object.keys(changed));
  });

  test.each([
    [1_050, 5, []],
    [1_051, 5, ['recipients']],
    [950, 5, []],
    [949, 5, ['recipients']],
    [1_001, 0, ['recipients']],
    [2_000, 100, []],
    [2_001, 100, ['recipients']],
    [0, 100, []],
  ] as const)('%i recipients for 1,000 at %i per cent: %j', (recipients, tolerance, expected) => {
    expect(codes({ recipients }, tolerance)).toEqual(expected);
  });

  test('is any recipient and any cost where there were none', () => {
    const before = { ...facts, recipients: 0, costMicroUsd: 0 };
    const now = { ...before, recipients: 1, costMicroUsd: 1 };
    expect(changesSince(before, now, 100).map((change) => change.code)).toEqual(['recipients', 'cost']);
  });

  test('says in dollars what it cost and costs', () => {
    const [change] = changesSince(facts, { ...facts, costMicroUsd: 21_907_200 }, 5);
    expect(change?.message).toBe('It cost USD 8.000000 and costs USD 21.907200 now.');
  });
});

describe('the messages that an order sends', () => {
  const AT = Date.parse('2026-03-03T12:00:00-05:00');
  const message = (id: string, status: 'draft' | 'scheduled' | 'cut' | 'sent', local: string | null) => ({
    id,
    status,
    scheduleLocal: local,
    scheduleZone: local === null ? null : 'America/New_York',
    dueAt: new Date(AT + 1),
  });
  const due = (order: Parameters<typeof plannedMessages>[0], messages: ReturnType<typeof message>[]) =>
    plannedMessages(order, messages, AT).map((one) => [one.message.id, one.dueAt]);
  const three = Date.parse('2026-03-03T15:00:00-05:00');
  const drafts = [message('one', 'draft', null), message('two', 'draft', '2026-03-03T15:00')];

  test('of a launch are all: now, at their schedules, or with no instant yet', () => {
    expect(due({ action: 'launch', start: 'now' }, drafts)).toEqual([
      ['one', AT],
      ['two', three],
    ]);
    expect(due({ action: 'launch', start: 'later' }, drafts)).toEqual([
      ['one', null],
      ['two', three],
    ]);
  });

  test('of a start are those that wait, the first of them now', () => {
    const prepared = [message('one', 'sent', null), message('two', 'scheduled', '2026-03-03T15:00')];
    expect(due({ action: 'start', start: 'now' }, prepared)).toEqual([['two', AT]]);
    expect(due({ action: 'start', start: 'scheduled' }, prepared)).toEqual([['two', three]]);
  });

  test('of a restart are those that are named, with their new schedules', () => {
    const schedules = new Map([['one', { local: '2026-03-03T15:00', zone: 'America/New_York' }]]);
    const stopped = [message('one', 'cut', null), message('two', 'cut', null)];
    expect(due({ action: 'restart', schedules }, stopped)).toEqual([['one', three]]);
  });

  test('of a campaign that runs are those that are not over, when they are due', () => {
    const running = [message('one', 'sent', null), message('two', 'scheduled', null)];
    expect(due({ action: 'run' }, running)).toEqual([['two', AT + 1]]);
  });
});

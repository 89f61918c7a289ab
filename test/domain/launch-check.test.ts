import { describe, expect, it } from 'vitest';
import { type LaunchDetails, missingDetails, scheduleIssues } from '../../domain/launch-check.ts';

const NEW_YORK = { timeZone: 'America/New_York', quietHours: { start: '20:00', end: '08:00' } };
const MORNING = Date.parse('2026-03-03T10:00:00-05:00');
const scheduled = (local: string, zone = 'America/New_York') => ({
  pointer: '/messages/0/schedule',
  schedule: { local, zone },
});
const codes = (...args: Parameters<typeof scheduleIssues>) =>
  scheduleIssues(...args).map((issue) => `${issue.pointer} ${issue.code}`);

describe('a launch', () => {
  const COMPLETE: LaunchDetails = {
    name: 'Sale',
    audience: { kind: 'standard', senderId: 'snd_1', listIds: ['lst_1'] },
    ownerId: 'per_1',
    purpose: 'marketing',
    isAcknowledged: true,
    messages: [{ text: 'Hi', mediaCount: 0 }],
  };

  it('lacks nothing when everything is given', () => {
    expect(missingDetails(COMPLETE)).toEqual([]);
    expect(missingDetails({ ...COMPLETE, messages: [{ text: ' ', mediaCount: 1 }] })).toEqual([]);
  });

  it('names everything that is missing at once, each with how to give it', () => {
    const missing = missingDetails({
      name: null,
      audience: { kind: 'standard', senderId: null, listIds: [] },
      ownerId: null,
      purpose: null,
      isAcknowledged: false,
      messages: [
        { text: 'Hi', mediaCount: 0 },
        { text: ' ', mediaCount: 0 },
      ],
    });
    expect(missing.map((issue) => issue.pointer)).toEqual([
      '/name',
      '/senderId',
      '/listIds',
      '/ownerId',
      '/purpose',
      '/acknowledgement',
      '/messages/1/text',
    ]);
    expect(missing.every((issue) => issue.code === 'missing' && issue.message !== '')).toBe(true);
    expect(missingDetails({ ...COMPLETE, messages: [] }).map((issue) => issue.pointer)).toEqual([
      '/messages',
    ]);
  });

  it.each([
    ['2026-03-03T19:59:59-05:00', []],
    ['2026-03-03T20:00:00-05:00', ['/start quiet-hours']],
    ['2026-03-04T07:59:59-05:00', ['/start quiet-hours']],
    ['2026-03-04T08:00:00-05:00', []],
  ])('now at %s meets %j: quiet hours are half-open', (now, issues) => {
    expect(codes('now', Date.parse(now), NEW_YORK, [])).toEqual(issues);
  });

  it('that quiet hours refuse is told the next permitted instant', () => {
    const [issue] = scheduleIssues('now', Date.parse('2026-03-03T21:00:00-05:00'), NEW_YORK, []);
    expect(issue?.message).toContain('2026-03-04T08:00:00-05:00');
  });

  it.each([
    ['2026-03-05T12:00', 'America/New_York', []],
    ['2026-03-05T20:00', 'America/New_York', [' quiet-hours']],
    // Noon in Berlin is six in the morning where the account's hours count.
    ['2026-03-05T12:00', 'Europe/Berlin', [' quiet-hours']],
    ['1970-01-01T12:00', 'America/New_York', [' schedule-past']],
    ['9999-12-31T12:00', 'America/New_York', [' schedule-too-far']],
    ['2026-03-05T12:00', 'America/Gotham', ['/zone unknown-zone']],
    ['2026-02-30T12:00', 'America/New_York', ['/local malformed-time']],
    ['next Tuesday', 'America/New_York', ['/local malformed-time']],
    ['2026-03-08T02:30', 'America/New_York', ['/local time-does-not-exist']],
  ])('with a schedule at %s in %s is answered with %j', (local, zone, issues) => {
    const found = codes('scheduled', MORNING, NEW_YORK, [scheduled(local, zone)]);
    expect(found).toEqual(issues.map((issue) => `/messages/0/schedule${issue}`));
  });

  it('names both neighbours of a time that the clocks skip', () => {
    const [issue] = scheduleIssues('scheduled', MORNING, NEW_YORK, [scheduled('2026-03-08T02:30')]);
    expect(issue?.message).toMatch(/2026-03-08T01:59.* or 2026-03-08T03:00/);
  });

  it('takes the first of two instants that one local time has', () => {
    const before = Date.parse('2026-11-01T01:15:00-04:00');
    const between = Date.parse('2026-11-01T01:15:00-05:00');
    const always = { timeZone: 'America/New_York', quietHours: { start: '12:00', end: '12:00' } };
    expect(codes('scheduled', before, always, [scheduled('2026-11-01T01:30')])).toEqual([]);
    expect(codes('scheduled', between, always, [scheduled('2026-11-01T01:30')])).toEqual([
      '/messages/0/schedule schedule-past',
    ]);
  });

  it('needs a schedule for each message, but for the first of "now" and all of "later"', () => {
    const none = [0, 1].map((index) => ({ pointer: `/messages/${index}/schedule`, schedule: null }));
    const missing = (indexes: number[]) => indexes.map((index) => `/messages/${index}/schedule missing`);
    expect(codes('now', MORNING, NEW_YORK, none)).toEqual(missing([1]));
    expect(codes('scheduled', MORNING, NEW_YORK, none)).toEqual(missing([0, 1]));
    expect(codes('later', MORNING, NEW_YORK, none)).toEqual([]);
    expect(codes('later', MORNING, NEW_YORK, [scheduled('1999-01-01T12:00')])).toEqual([
      '/messages/0/schedule schedule-past',
    ]);
  });
});

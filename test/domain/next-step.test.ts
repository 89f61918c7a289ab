import { describe, expect, it } from 'vitest';
import { CAMPAIGN_STATUSES } from '../../domain/campaign-status.ts';
import { type NextFacts, nextStepOf } from '../../domain/next-step.ts';

const NOW = Date.parse('2026-03-03T10:00:00-05:00');
const HOUR_MS = 3_600_000;
const MESSAGE = {
  position: 1,
  status: 'scheduled',
  texting: false,
  dueAt: null,
  endedAt: null,
  unsent: 40,
} as const;
const FACTS: NextFacts = {
  status: 'scheduled',
  now: NOW,
  timeZone: 'America/New_York',
  quietHours: { start: '20:00', end: '08:00' },
  audienceSize: 100,
  holds: [],
  messages: [],
};

describe('what happens next', () => {
  it.each(CAMPAIGN_STATUSES)('is said in words for a campaign that is %s', (status) => {
    const next = nextStepOf({
      ...FACTS,
      status,
      holds: [{ kind: 'pause', reason: 'Ordered by per_1.', position: null }],
    });
    expect(next.what).not.toBe('');
    expect(next.why).toMatch(/\.$/);
  });

  it('is the earliest message that is due, whatever its position', () => {
    const next = nextStepOf({
      ...FACTS,
      messages: [
        { ...MESSAGE, dueAt: NOW + 5 * HOUR_MS },
        { ...MESSAGE, position: 2, dueAt: NOW + 2 * HOUR_MS, unsent: 70 },
      ],
    });
    expect(next).toMatchObject({ what: 'send message 2', at: NOW + 2 * HOUR_MS, count: 70 });
  });

  it('waits for the end of quiet hours when a message is due in them', () => {
    const next = nextStepOf({ ...FACTS, messages: [{ ...MESSAGE, dueAt: NOW + 11 * HOUR_MS }] });
    expect(next).toMatchObject({ at: Date.parse('2026-03-04T08:00:00-05:00') });
    expect(next.why).toContain('quiet hours');
  });

  it('does not count an audience that is not frozen yet', () => {
    const next = nextStepOf({
      ...FACTS,
      audienceSize: null,
      messages: [{ ...MESSAGE, dueAt: NOW + HOUR_MS }],
    });
    expect(next.count).toBeNull();
    expect(next.why).toContain('15 minutes before');
  });

  it('is the message being sent right now, with how many are left', () => {
    const sending = { ...MESSAGE, status: 'sending', texting: true } as const;
    expect(nextStepOf({ ...FACTS, status: 'sending', messages: [sending] })).toMatchObject({
      what: 'send message 1',
      at: NOW,
      count: 40,
    });
  });

  it('is the rest of a message at the end of quiet hours', () => {
    const night = Date.parse('2026-03-03T22:00:00-05:00');
    const cut = { ...MESSAGE, status: 'sending' } as const;
    expect(nextStepOf({ ...FACTS, status: 'started', now: night, messages: [cut] })).toMatchObject({
      what: 'go on with message 1',
      at: Date.parse('2026-03-04T08:00:00-05:00'),
      why: 'The rest waits until quiet hours end.',
    });
  });

  it('is the end of the campaign ten minutes after its last post at the latest', () => {
    const sent = { ...MESSAGE, status: 'sent', endedAt: NOW, unsent: 0 } as const;
    expect(nextStepOf({ ...FACTS, status: 'started', messages: [sent] })).toMatchObject({
      what: 'finish',
      at: NOW + HOUR_MS / 6,
    });
  });

  it('names the reasons of all holds', () => {
    const next = nextStepOf({
      ...FACTS,
      status: 'suspended',
      holds: [
        { kind: 'suspend', reason: 'No credit.', position: null },
        { kind: 'pause', reason: 'Ordered by per_1.', position: null },
      ],
    });
    expect(next).toMatchObject({ what: 'resume', why: 'No credit. Ordered by per_1.' });
  });

  it('is to lift the hold where nothing else keeps it', () => {
    const holds = [{ kind: 'hold', reason: 'Checked first.', position: null }];
    expect(nextStepOf({ ...FACTS, status: 'paused', holds })).toMatchObject({
      what: 'lift hold',
      at: null,
      why: 'Checked first.',
    });
    const cut = { ...MESSAGE, status: 'sending' } as const;
    expect(nextStepOf({ ...FACTS, status: 'started', holds, messages: [cut] })).toMatchObject({
      what: 'lift hold',
      at: null,
      why: 'Checked first.',
    });
  });

  it('heeds a hold on one message for that message only', () => {
    const holds = [{ kind: 'hold', reason: 'Checked first.', position: 2 }];
    const cut = { ...MESSAGE, status: 'sending' } as const;
    expect(nextStepOf({ ...FACTS, status: 'started', holds, messages: [cut] }).what).toBe(
      'go on with message 1',
    );
    const second = { ...cut, position: 2 };
    expect(nextStepOf({ ...FACTS, status: 'started', holds, messages: [second] }).what).toBe('lift hold');
    const later = { ...MESSAGE, position: 2, dueAt: NOW + HOUR_MS };
    expect(nextStepOf({ ...FACTS, status: 'started', holds, messages: [later] }).why).toContain(
      'Checked first.',
    );
  });
});

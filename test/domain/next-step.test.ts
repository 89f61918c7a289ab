import { describe, expect, it } from 'vitest';
import { CAMPAIGN_STATUSES } from '../../domain/campaign-status.ts';
import { type NextFacts, nextStepOf, nextStepsOfMessages } from '../../domain/next-step.ts';

const NOW = Date.parse('2026-03-03T10:00:00-05:00');
const HOUR_MS = 3_600_000;
const MESSAGE = {
  position: 1,
  status: 'scheduled',
  texting: false,
  dueAt: null,
  expiresAt: null,
  endedAt: null,
  unsent: 40,
  inFlight: 0,
  awaitingReport: 0,
  waves: [{ waiting: 40, dueAt: null }],
  pace: null,
  slowedUntil: null,
  usedUp: null,
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
      why: 'The rest waits: quiet hours in America/New_York last until then.',
    });
  });

  it('is the end of the campaign ten minutes after its last post at the latest', () => {
    const sent = { ...MESSAGE, status: 'sent', endedAt: NOW, unsent: 0, awaitingReport: 7 } as const;
    expect(nextStepOf({ ...FACTS, status: 'started', messages: [sent] })).toMatchObject({
      what: 'finish',
      at: NOW + HOUR_MS / 6,
      count: 7,
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

describe('what happens next with a message', () => {
  const night = Date.parse('2026-03-03T22:00:00-05:00');
  const morning = Date.parse('2026-03-04T08:00:00-05:00');
  const nextOf = (facts: Partial<NextFacts>) => nextStepsOfMessages({ ...FACTS, ...facts }).get(1);
  const waiting = { ...MESSAGE, status: 'sending' } as const;

  it.each(CAMPAIGN_STATUSES)('is said of a campaign that is %s, in sentences', (status) => {
    for (const message of [MESSAGE, waiting, { ...MESSAGE, status: 'cut' } as const]) {
      const next = nextOf({
        status,
        messages: [message],
        holds: [{ kind: 'pause', reason: 'Held.', position: null }],
      });
      expect(next?.what).not.toBe('');
      expect(next?.why).toMatch(/\.$/);
    }
  });

  it('is each its own of several', () => {
    const facts: NextFacts = {
      ...FACTS,
      status: 'sending',
      messages: [
        { ...waiting, texting: true, pace: '25 segments a second' },
        { ...MESSAGE, position: 2, dueAt: NOW + HOUR_MS, unsent: 70 },
        { ...MESSAGE, position: 3, status: 'cancelled' },
      ],
    };
    const steps = nextStepsOfMessages(facts);
    expect(steps.get(1)).toMatchObject({ what: 'send', at: NOW, count: 40 });
    expect(steps.get(1)?.why).toContain('25 segments a second');
    expect(steps.get(2)).toMatchObject({ what: 'send', at: NOW + HOUR_MS, count: 70 });
    expect(steps.get(3)).toMatchObject({ what: 'nothing', at: null, count: 0 });
  });

  it('is the next try of those whom the carrier has not taken, and at the end of quiet hours if it lies in them', () => {
    const waves = [{ waiting: 3, dueAt: NOW + 30_000 }];
    const deferred = { ...waiting, unsent: 3, waves };
    expect(nextOf({ status: 'started', messages: [deferred] })).toMatchObject({
      what: 'try again',
      at: NOW + 30_000,
      count: 3,
    });
    expect(nextOf({ status: 'sending', messages: [{ ...deferred, texting: true }] })?.what).toBe('try again');
    const posting = { ...deferred, texting: true, inFlight: 1 };
    expect(nextOf({ status: 'sending', messages: [posting] })?.what).toBe('send');
    const late = { ...waiting, unsent: 3, waves: [{ waiting: 3, dueAt: night + 60_000 }] };
    expect(nextOf({ status: 'started', now: night, messages: [late] })).toMatchObject({
      what: 'try again',
      at: morning,
    });
  });

  it('counts those only whose turn it is then', () => {
    const waves = [
      { waiting: 3, dueAt: NOW + 30_000 },
      { waiting: 4, dueAt: NOW + 60_000 },
    ];
    expect(nextOf({ status: 'started', messages: [{ ...waiting, unsent: 7, waves }] })).toMatchObject({
      at: NOW + 30_000,
      count: 3,
    });
  });

  it('is its expiry when that comes before anybody may be texted', () => {
    const expiresAt = morning - 1;
    expect(nextOf({ status: 'started', now: night, messages: [{ ...waiting, expiresAt }] })).toMatchObject({
      what: 'expire',
      at: expiresAt,
      count: 40,
    });
    const upcoming = { ...MESSAGE, dueAt: night, expiresAt };
    expect(nextOf({ messages: [upcoming] })).toMatchObject({ what: 'expire', at: expiresAt });
    expect(nextOf({ messages: [{ ...upcoming, expiresAt: morning + 1 }] })).toMatchObject({
      what: 'send',
      at: morning,
    });
  });

  it('waits for the instant that the carrier named when it asked to slow down', () => {
    const slowed = { ...waiting, texting: true, slowedUntil: NOW + 5_000 };
    expect(nextOf({ status: 'sending', messages: [slowed] })).toMatchObject({
      what: 'go on',
      at: NOW + 5_000,
    });
  });

  it('has no instant while a hold keeps it, and says whose word it waits for', () => {
    const holds = [{ kind: 'hold', reason: 'The sender is checked.', position: null }];
    expect(nextOf({ status: 'started', holds, messages: [waiting] })).toEqual({
      what: 'lift hold',
      at: null,
      why: 'The sender is checked.',
      count: 40,
    });
  });

  it('awaits the reports of a sent one for ten minutes, and then nothing', () => {
    const sent = { ...MESSAGE, status: 'sent', endedAt: NOW, unsent: 0, awaitingReport: 2 } as const;
    const until = NOW + HOUR_MS / 6;
    expect(nextOf({ status: 'started', messages: [sent] })).toMatchObject({
      what: 'await reports',
      at: until,
      count: 2,
    });
    expect(nextOf({ status: 'started', now: until, messages: [sent] })?.what).toBe('nothing');
    expect(nextOf({ status: 'started', messages: [{ ...sent, awaitingReport: 0 }] })?.what).toBe('nothing');
  });
});

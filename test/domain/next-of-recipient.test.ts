import { describe, expect, it } from 'vitest';
import type { MessageFacts } from '../../domain/next-of-message.ts';
import { nextOfRecipient, RECIPIENT_STATES, type RecipientFacts } from '../../domain/next-of-recipient.ts';
import type { NextFacts, NextStep } from '../../domain/next-step.ts';

const NOW = Date.parse('2026-03-03T19:59:00-05:00');
const EIGHT = Date.parse('2026-03-04T08:00:00-05:00');
const MESSAGE: MessageFacts = {
  position: 1,
  status: 'sending',
  texting: true,
  dueAt: NOW,
  expiresAt: null,
  endedAt: null,
  unsent: 1_000,
  inFlight: 0,
  awaitingReport: 0,
  waves: [{ waiting: 1_000, dueAt: null }],
  pace: '10 segments a second',
  slowedUntil: null,
  usedUp: null,
};
const FACTS: NextFacts = {
  status: 'sending',
  now: NOW,
  timeZone: 'America/New_York',
  quietHours: { start: '20:00', end: '08:00' },
  audienceSize: 1_000,
  holds: [],
  messages: [MESSAGE],
};
const STEP: NextStep = { what: 'send', at: NOW, why: 'It is being sent right now.', count: 1_000 };
const HIM: RecipientFacts = {
  state: 'waiting',
  leftOutAs: null,
  ahead: 0,
  triedAgainAt: null,
  perSecond: 10,
};
const nextOf = (him: Partial<RecipientFacts>, message: Partial<MessageFacts> = {}, step = STEP) =>
  nextOfRecipient(FACTS, { ...MESSAGE, ...message }, step, { ...HIM, ...him });

describe('what happens next with one recipient', () => {
  it.each(RECIPIENT_STATES)('is said in a sentence where he is %s', (state) => {
    const next = nextOf({ state });
    expect(next.what).not.toBe('');
    expect(next.why).toMatch(/\.$/);
    expect(next.at === null).toBe(state !== 'waiting' && state !== 'deferred');
  });

  it('comes no earlier than the pace lets those through who come before him', () => {
    expect(nextOf({ ahead: 300 })).toMatchObject({ what: 'send', at: NOW + 30_000, ahead: 300 });
    expect(nextOf({ ahead: 300, perSecond: null })).toMatchObject({ at: NOW });
  });

  it('waits for the morning when his turn would come in quiet hours, and expires when that is too late', () => {
    expect(nextOf({ ahead: 600 })).toMatchObject({ what: 'send', at: EIGHT });
    expect(nextOf({ ahead: 600 }, { expiresAt: EIGHT })).toMatchObject({ what: 'expire', at: EIGHT });
    expect(nextOf({ ahead: 599 }, { expiresAt: EIGHT })).toMatchObject({ what: 'send' });
  });

  it('is his next try where the carrier has certainly not taken his text', () => {
    const triedAgainAt = NOW + 40_000;
    expect(nextOf({ state: 'deferred', triedAgainAt })).toMatchObject({
      what: 'try again',
      at: triedAgainAt,
    });
  });

  it.each(['failed', 'unknown'] as const)(
    'is his next try where he is %s and somebody or something has him tried again',
    (state) => {
      const triedAgainAt = NOW + 40_000;
      expect(nextOf({ state, triedAgainAt })).toMatchObject({ what: 'try again', at: triedAgainAt });
      expect(nextOf({ state })).toMatchObject({ at: null });
    },
  );

  it.each([
    ['open', 'ask carrier'],
    ['absent', 'await report'],
    ['final', 'nothing'],
  ] as const)("says of an unknown one what the carrier's list has said: %s", (unknownAs, what) => {
    expect(nextOf({ state: 'unknown', unknownAs })).toMatchObject({ what, at: null });
  });

  it('is to be left out once something forbids to text him', () => {
    expect(nextOf({ leftOutAs: 'opt_out' })).toMatchObject({ what: 'skip', at: NOW });
    expect(nextOf({ leftOutAs: 'contact_deleted', state: 'delivered' })).toMatchObject({ what: 'nothing' });
  });

  it('is that of the message where it is held', () => {
    const held: NextStep = { what: 'lift hold', at: null, why: 'The sender is checked.', count: 1_000 };
    expect(nextOf({ ahead: 3 }, {}, held)).toEqual({
      what: 'lift hold',
      at: null,
      why: 'The sender is checked.',
      ahead: 3,
    });
  });
});

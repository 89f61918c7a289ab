import type { CampaignStatus } from './campaign-status.ts';
import { holdsOn, type MessageFacts, nextOfMessage, sentencesOf, unsettledOf } from './next-of-message.ts';
import type { QuietHours } from './quiet-hours.ts';
import { SETTLE_MS } from './schedule.ts';

/** What happens next with a campaign, in words for people. `at` is an instant in epoch milliseconds, null when open. */
export interface NextStep {
  readonly what: string;
  readonly at: number | null;
  readonly why: string;
  /** How many recipients it concerns, null when not known yet. */
  readonly count: number | null;
}

/** What the answer depends on. */
export interface NextFacts {
  readonly status: CampaignStatus;
  readonly now: number;
  readonly timeZone: string;
  readonly quietHours: QuietHours;
  readonly audienceSize: number | null;
  readonly holds: readonly {
    /** `hold` is lifted by itself; the others end with the action that resumes or restarts the campaign. */
    readonly kind: string;
    readonly reason: string;
    /** The only message that it keeps; null when it keeps all of them. */
    readonly position: number | null;
  }[];
  readonly messages: readonly MessageFacts[];
}

/** What happens next, at what instant, why then, and for how many. */
export function nextStepOf(facts: NextFacts): NextStep {
  const resting = nextOfResting(facts, unsentOf(facts));
  return resting ?? nextOfRunning(facts);
}

/** The same for each message by its position. */
export function nextStepsOfMessages(facts: NextFacts): Map<number, NextStep> {
  return new Map(
    facts.messages.map((message) => {
      const count = facts.audienceSize === null ? null : message.unsent;
      const isOver = message.endedAt !== null && message.status !== 'cut' && message.status !== 'cancelled';
      const resting = isOver ? null : nextOfResting(facts, count);
      return [message.position, resting ?? nextOfMessage(facts, message)];
    }),
  );
}

/** What a campaign that does not run by itself waits for; null for one that does. */
export function nextOfResting(facts: NextFacts, unsent: number | null): NextStep | null {
  const size = facts.audienceSize;
  switch (facts.status) {
    case 'draft':
      return { what: 'launch', at: null, why: 'It is a draft until somebody launches it.', count: size };
    case 'processing':
      return {
        what: 'prepare',
        at: facts.now,
        why: 'Its content and sender are being checked.',
        count: size,
      };
    case 'ready':
      return {
        what: 'start',
        at: null,
        why: 'It was prepared for later and waits to be started.',
        count: size,
      };
    case 'rejected':
      return {
        what: 'edit',
        at: null,
        why: 'Its content was refused; mend it and launch again.',
        count: size,
      };
    case 'paused':
    case 'suspended':
      return {
        what: facts.holds.some((hold) => hold.kind !== 'hold') ? 'resume' : 'lift hold',
        at: null,
        why: sentencesOf(facts.holds),
        count: unsent,
      };
    case 'stopped':
      return {
        what: 'restart',
        at: null,
        why: 'It was stopped; a restart gives its messages new schedules.',
        count: unsent,
      };
    case 'aborted':
    case 'finished':
      return { what: 'nothing', at: null, why: `It is ${facts.status}.`, count: 0 };
    case 'scheduled':
    case 'started':
    case 'sending':
      return null;
  }
}

/** The earliest of what happens next with its messages; the end of the campaign once all of them are over. */
function nextOfRunning(facts: NextFacts): NextStep {
  const steps = facts.messages
    .filter((message) => message.status === 'scheduled' || message.status === 'sending')
    .map((message) => ({ message, step: nextOfMessage(facts, message) }))
    .toSorted((one, other) => instantOf(one.step) - instantOf(other.step));
  const [first] = steps;
  if (first === undefined) return nextOfSettling(facts);
  const { message, step } = first;
  const held = holdsOn(facts, message.position);
  return {
    ...step,
    what: step.what === 'lift hold' ? step.what : `${PHRASES[step.what] ?? step.what} ${message.position}`,
    why:
      held !== '' && step.what !== 'lift hold'
        ? `${step.why} It stays put for as long as it is held: ${held}`
        : step.why,
  };
}

const PHRASES: Readonly<Record<string, string>> = {
  send: 'send message',
  'go on': 'go on with message',
  'try again': 'try again with message',
  expire: 'expire message',
};

function nextOfSettling(facts: NextFacts): NextStep {
  const awaited = facts.messages.reduce((sum, message) => sum + unsettledOf(message), 0);
  const endedAt = Math.max(0, ...facts.messages.map((message) => message.endedAt ?? 0));
  return awaited > 0
    ? {
        what: 'finish',
        at: Math.max(facts.now, endedAt + SETTLE_MS),
        why: "Everybody has been dealt with; the carrier's last reports are awaited until then at the latest.",
        count: awaited,
      }
    : {
        what: 'finish',
        at: facts.now,
        why: 'Everybody has been dealt with and no report is awaited any more.',
        count: 0,
      };
}

function instantOf(step: NextStep): number {
  return step.at ?? Number.POSITIVE_INFINITY;
}

function unsentOf(facts: NextFacts): number | null {
  if (facts.audienceSize === null) return null;
  return facts.messages.reduce((sum, message) => sum + message.unsent, 0);
}

import type { CampaignStatus, MessageStatus } from './campaign-status.ts';
import { isQuiet, nextPermitted, type QuietHours } from './quiet-hours.ts';
import { FREEZE_LEAD_MS, SETTLE_MS } from './schedule.ts';

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
  readonly messages: readonly {
    readonly position: number;
    readonly status: MessageStatus;
    readonly texting: boolean;
    readonly dueAt: number | null;
    readonly endedAt: number | null;
    readonly unsent: number;
  }[];
}

/** What happens next, at what instant, why then, and for how many. */
export function nextStepOf(facts: NextFacts): NextStep {
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
        why: facts.holds.map((hold) => hold.reason).join(' '),
        count: unsentOf(facts),
      };
    case 'stopped':
      return {
        what: 'restart',
        at: null,
        why: 'It was stopped; a restart gives its messages new schedules.',
        count: unsentOf(facts),
      };
    case 'aborted':
    case 'finished':
      return { what: 'nothing', at: null, why: `It is ${facts.status}.`, count: 0 };
    case 'scheduled':
    case 'started':
    case 'sending':
      return nextOfRunning(facts);
  }
}

function nextOfRunning(facts: NextFacts): NextStep {
  const texting = facts.messages.find((message) => message.texting);
  if (texting !== undefined) {
    return {
      what: `send message ${texting.position}`,
      at: facts.now,
      why: 'It is being sent right now.',
      count: texting.unsent,
    };
  }
  const waiting = facts.messages.find((message) => message.status === 'sending');
  if (waiting !== undefined) {
    const reasons = holdsOn(facts, waiting.position);
    if (reasons !== '') return { what: 'lift hold', at: null, why: reasons, count: waiting.unsent };
    const isWindowClosed = isQuiet(facts.now, facts.quietHours, facts.timeZone);
    return {
      what: `go on with message ${waiting.position}`,
      at: nextPermitted(facts.now, facts.quietHours, facts.timeZone),
      why: isWindowClosed ? 'The rest waits until quiet hours end.' : 'Its next lane is about to start.',
      count: waiting.unsent,
    };
  }
  const upcoming = facts.messages
    .filter((message) => message.status === 'scheduled' && message.dueAt !== null)
    .toSorted((one, other) => (one.dueAt ?? 0) - (other.dueAt ?? 0))[0];
  if (upcoming !== undefined) {
    const reasons = holdsOn(facts, upcoming.position);
    const dueAt = upcoming.dueAt ?? facts.now;
    const opensAt = nextPermitted(dueAt, facts.quietHours, facts.timeZone);
    const frozen = facts.audienceSize !== null;
    return {
      what: `send message ${upcoming.position}`,
      at: opensAt,
      why: opensAt > dueAt ? 'It is due in quiet hours and waits for their end.' : 'It is due then.',
      count: frozen ? upcoming.unsent : null,
      ...(frozen
        ? {}
        : { why: `It is due then; its audience is frozen ${FREEZE_LEAD_MS / 60_000} minutes before.` }),
      ...(reasons === '' ? {} : { why: `It is due then, unless it is still held: ${reasons}` }),
    };
  }
  const endedAt = Math.max(0, ...facts.messages.map((message) => message.endedAt ?? 0));
  return {
    what: 'finish',
    at: endedAt + SETTLE_MS,
    why: "Everybody has been dealt with; the carrier's last reports are awaited until then at the latest.",
    count: null,
  };
}

/** The reasons of what keeps a message, as sentences; empty when nothing does. */
function holdsOn(facts: NextFacts, position: number): string {
  return facts.holds
    .filter((hold) => hold.position === null || hold.position === position)
    .map((hold) => hold.reason)
    .join(' ');
}

function unsentOf(facts: NextFacts): number | null {
  if (facts.audienceSize === null) return null;
  return facts.messages.reduce((sum, message) => sum + message.unsent, 0);
}

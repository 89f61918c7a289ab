import type { MessageStatus } from './campaign-status.ts';
import type { NextFacts, NextStep } from './next-step.ts';
import { isQuiet, nextPermitted } from './quiet-hours.ts';
import { FREEZE_LEAD_MS, SETTLE_MS } from './schedule.ts';

/** Where a message stands. Instants are campaign time. */
export interface MessageFacts {
  readonly position: number;
  readonly status: MessageStatus;
  readonly texting: boolean;
  readonly dueAt: number | null;
  readonly expiresAt: number | null;
  readonly endedAt: number | null;
  /** Recipients who may still be texted. */
  readonly unsent: number;
  /** Recipients whose texts are on their way to the carrier at this moment. */
  readonly inFlight: number;
  /** Accepted texts without a last word of the carrier. */
  readonly awaitingReport: number;
  /** Recipients who are left, by when they may be texted at the earliest; null: since the message is due. */
  readonly waves: readonly { readonly waiting: number; readonly dueAt: number | null }[];
  /** What bounds its sender, such as `25 segments a second`; null when nothing does. */
  readonly pace: string | null;
  /** The carrier asked to slow down: nothing is posted before. Null when it did not. */
  readonly slowedUntil: number | null;
  /** A daily cap of its sender is used up: which one, and when its next day begins. Null when there is something left. */
  readonly usedUp: { readonly name: string; readonly until: number } | null;
}

/** What happens next with a message of a campaign that runs, in the order in which its workflow decides. */
export function nextOfMessage(facts: NextFacts, message: MessageFacts): NextStep {
  switch (message.status) {
    case 'draft':
    case 'cancelled':
    case 'cut':
    case 'expired':
      return { what: 'nothing', at: null, why: `It is ${message.status}.`, count: 0 };
    case 'sent':
      return nextOfSent(facts, message);
    case 'scheduled':
      return nextOfScheduled(facts, message);
    case 'sending':
      return nextOfSending(facts, message);
  }
}

/** The reasons of what keeps a message, as sentences; empty when nothing does. */
export function holdsOn(facts: NextFacts, position: number): string {
  return sentencesOf(facts.holds.filter((hold) => hold.position === null || hold.position === position));
}

/** Reasons as people wrote them, each once, as sentences in a row. */
export function sentencesOf(holds: readonly { readonly reason: string }[]): string {
  const reasons = new Set(holds.map(({ reason }) => reason.trim()));
  return [...reasons].map((reason) => (/[.!?]$/.test(reason) ? reason : `${reason}.`)).join(' ');
}

/** Reports that keep a campaign from finishing. */
export function unsettledOf(message: MessageFacts): number {
  return Math.max(0, message.awaitingReport);
}

function nextOfSent(facts: NextFacts, message: MessageFacts): NextStep {
  const awaited = unsettledOf(message);
  const until = (message.endedAt ?? facts.now) + SETTLE_MS;
  if (awaited === 0 || facts.now >= until || facts.status === 'finished') {
    return { what: 'nothing', at: null, why: 'It is sent.', count: 0 };
  }
  return {
    what: 'await reports',
    at: until,
    why: "Everybody has been dealt with; the carrier's last reports are awaited until then at the latest.",
    count: awaited,
  };
}

function nextOfScheduled(facts: NextFacts, message: MessageFacts): NextStep {
  const dueAt = Math.max(message.dueAt ?? facts.now, facts.now);
  const opensAt = nextPermitted(dueAt, facts.quietHours, facts.timeZone);
  const isFrozen = facts.audienceSize !== null;
  const count = isFrozen ? message.unsent : null;
  if (expiresFirst(message, opensAt)) return expiry(message, count);
  const due = opensAt > dueAt ? quietHoursEnd(facts, 'It is due in quiet hours: ') : 'It is due then.';
  const frozen = `Its audience is frozen ${FREEZE_LEAD_MS / 60_000} minutes before it is due, and is not counted yet.`;
  return { what: 'send', at: opensAt, why: isFrozen ? due : `${due} ${frozen}`, count };
}

function nextOfSending(facts: NextFacts, message: MessageFacts): NextStep {
  const held = holdsOn(facts, message.position);
  if (held !== '') return { what: 'lift hold', at: null, why: held, count: message.unsent };
  if (message.slowedUntil !== null && message.slowedUntil > facts.now && message.unsent > 0) {
    return {
      what: 'go on',
      at: message.slowedUntil,
      why: 'The carrier asked to slow down, for all campaigns of this sender.',
      count: message.unsent,
    };
  }
  if (message.usedUp !== null && message.unsent > 0) {
    const opensAt = nextPermitted(message.usedUp.until, facts.quietHours, facts.timeZone);
    if (expiresFirst(message, opensAt)) return expiry(message, message.unsent);
    return {
      what: 'go on',
      at: opensAt,
      why: `Today's cap of the quota "${message.usedUp.name}" is used up; the rest waits for the next day.`,
      count: message.unsent,
    };
  }
  const isAnybodysTurn = message.waves.some(({ dueAt }) => dueAt === null || dueAt <= facts.now);
  if (message.texting && (isAnybodysTurn || message.inFlight > 0 || message.waves.length === 0)) {
    const pace = message.pace === null ? '' : ` Its sender is paced at ${message.pace}.`;
    return { what: 'send', at: facts.now, why: `It is being sent right now.${pace}`, count: message.unsent };
  }
  return nextOfWaiting(facts, message);
}

/** Nobody texts at this moment: who is left waits for a window or for his next try. */
function nextOfWaiting(facts: NextFacts, message: MessageFacts): NextStep {
  const openings = message.waves.map(({ waiting, dueAt }) => ({
    waiting,
    isLater: dueAt !== null && dueAt > facts.now,
    at: nextPermitted(Math.max(dueAt ?? facts.now, facts.now), facts.quietHours, facts.timeZone),
  }));
  const at = Math.min(...openings.map((opening) => opening.at));
  if (!Number.isFinite(at)) {
    return {
      what: 'go on',
      at: facts.now,
      why: 'Nobody is left to be texted; who is under way is awaited.',
      count: 0,
    };
  }
  if (expiresFirst(message, at)) return expiry(message, message.unsent);
  const first = openings.filter((opening) => opening.at === at);
  const count = first.reduce((sum, opening) => sum + opening.waiting, 0);
  if (first.every((opening) => opening.isLater)) {
    return {
      what: 'try again',
      at,
      why: `The carrier has certainly not taken these${isQuiet(facts.now, facts.quietHours, facts.timeZone) ? `, and ${quietHoursEnd(facts, '')}` : '; they are tried again then.'}`,
      count,
    };
  }
  return {
    what: 'go on',
    at,
    why: at > facts.now ? quietHoursEnd(facts, 'The rest waits: ') : 'Its next lane is about to start.',
    count,
  };
}

function quietHoursEnd(facts: NextFacts, before: string): string {
  return `${before}quiet hours in ${facts.timeZone} last until then.`;
}

function expiresFirst(message: MessageFacts, at: number): boolean {
  return message.expiresAt !== null && message.expiresAt <= at;
}

function expiry(message: MessageFacts, count: number | null): NextStep {
  return {
    what: 'expire',
    at: message.expiresAt,
    why: 'Its time is over before anybody who is left may be texted; they are given up on then.',
    count,
  };
}

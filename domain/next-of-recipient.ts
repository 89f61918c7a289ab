import type { UnknownState } from './carrier-list.ts';
import type { MessageFacts } from './next-of-message.ts';
import type { NextFacts, NextStep } from './next-step.ts';
import { nextPermitted } from './quiet-hours.ts';
import type { SuppressionKind } from './suppression.ts';

/** Where one recipient stands with one message. */
export const RECIPIENT_STATES = [
  'waiting',
  'in_flight',
  'deferred',
  'accepted',
  'sent',
  'delivered',
  'undelivered',
  'failed',
  'rejected',
  'unknown',
  'skipped',
  'expired',
] as const;
export type RecipientState = (typeof RECIPIENT_STATES)[number];

/** What decides when a recipient is due. */
export interface RecipientFacts {
  readonly state: RecipientState;
  /** What would leave him out if it were his turn now; null when nothing would. */
  readonly leftOutAs: SuppressionKind | 'contact_deleted' | null;
  /** How many come before him in his wave. */
  readonly ahead: number;
  /** Campaign time of his next try; null for the first. */
  readonly triedAgainAt: number | null;
  /** How many recipients of one segment his sender's pace lets through in a second; null: as many as can be. */
  readonly perSecond: number | null;
  /** What the carrier's list has said, if it is unknown whether his text was taken. */
  readonly unknownAs?: UnknownState | null;
}

/** What happens next with one recipient of a message; `count` is how many come before him. */
export interface RecipientStep extends Omit<NextStep, 'count'> {
  readonly ahead: number | null;
}

/** What happens next with him, at what instant at the earliest, and why then. */
export function nextOfRecipient(
  facts: NextFacts,
  message: MessageFacts,
  step: NextStep,
  him: RecipientFacts,
): RecipientStep {
  switch (him.state) {
    case 'waiting':
    case 'deferred':
      return nextTry(facts, message, step, him);
    case 'in_flight':
      return open('await answer', 'His text is on its way to the carrier, whose answer is awaited.');
    case 'accepted':
    case 'sent':
      return open('await report', 'The carrier has his text; its last word is awaited.');
    case 'unknown':
      if (him.triedAgainAt !== null) return nextTry(facts, message, step, him);
      return nextOfUnknown(him.unknownAs ?? 'open');
    case 'failed':
      if (him.triedAgainAt !== null) return nextTry(facts, message, step, him);
      return open('nothing', 'His text is failed, which is the last word.');
    case 'delivered':
    case 'undelivered':
    case 'rejected':
      return open('nothing', `His text is ${him.state}, which is the last word.`);
    case 'skipped':
    case 'expired':
      return open('nothing', `He is ${him.state} and is not texted.`);
  }
}

function nextOfUnknown(known: UnknownState): RecipientStep {
  if (known === 'absent') {
    return open(
      'await report',
      "The carrier's list does not have his text, asked long enough after it was posted; a report may still prove it. A round of unknown ones sends it again.",
    );
  }
  if (known === 'final') {
    return open(
      'nothing',
      'Nobody knows whether the carrier took his text, and nothing will be told any more. A round of unknown ones sends it again.',
    );
  }
  return open(
    'ask carrier',
    "Nobody knows whether the carrier took his text, so it is not sent again meanwhile; a report or the carrier's list may still tell.",
  );
}

const AGAIN: Partial<Record<RecipientState, string>> = {
  deferred: 'The carrier has certainly not taken his text; it is tried again then at the earliest.',
  failed: 'The carrier never handed his text over; it is tried again then at the earliest.',
  unknown:
    'Nobody knows whether the carrier took his text; it is sent again then at the earliest, as was ordered.',
};

/** The message's own step where it is held, over or at rest; else his turn in it. */
function nextTry(
  facts: NextFacts,
  message: MessageFacts,
  step: NextStep,
  him: RecipientFacts,
): RecipientStep {
  const { ahead } = him;
  if (step.at === null || step.what === 'expire' || message.status === 'draft') {
    return { what: step.what, at: step.at, why: step.why, ahead };
  }
  const from = Math.max(step.what === 'try again' ? facts.now : step.at, him.triedAgainAt ?? 0);
  const turn = from + (him.perSecond === null ? 0 : Math.floor((ahead * 1_000) / him.perSecond));
  const at = nextPermitted(turn, facts.quietHours, facts.timeZone);
  if (message.expiresAt !== null && message.expiresAt <= at) {
    return {
      what: 'expire',
      at: message.expiresAt,
      why: 'Its time is over before his turn comes; he is given up on then.',
      ahead,
    };
  }
  if (him.leftOutAs !== null) {
    return { what: 'skip', at, why: `He is left out when his turn comes: ${him.leftOutAs}.`, ahead };
  }
  const why = AGAIN[him.state];
  return {
    what: why === undefined ? 'send' : 'try again',
    at,
    why: why !== undefined ? why : ahead > 0 ? `${step.why} ${ahead} recipients come before him.` : step.why,
    ahead,
  };
}

function open(what: string, why: string): RecipientStep {
  return { what, at: null, why, ahead: null };
}

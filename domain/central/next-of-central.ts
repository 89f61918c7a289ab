import { type NextFacts, nextOfResting, type NextStep } from '../next-step.ts';
import { FINAL_PART_STATES, type PartState } from './part-states.ts';

/** What the answer depends on beside what it does of any campaign. */
export interface CentralNextFacts extends NextFacts {
  /** How many parts are in each state. */
  readonly states: ReadonlyMap<PartState, number>;
}

/** What happens next with a central campaign, whose texts its sub-accounts send: no people are counted in it. */
export function nextOfCentral(facts: CentralNextFacts): NextStep {
  const resting = nextOfResting(facts, null);
  if (resting !== null) return { ...resting, count: null };
  const upcoming = facts.messages
    .filter((message) => message.status === 'scheduled' && message.dueAt !== null)
    .toSorted((one, other) => (one.dueAt ?? 0) - (other.dueAt ?? 0))[0];
  if (upcoming !== undefined) {
    return {
      what: `send message ${upcoming.position}`,
      at: upcoming.dueAt,
      why: 'It is due then, and each account sends it within its own hours.',
      count: null,
    };
  }
  const open = [...facts.states].reduce((sum, [state, parts]) => sum + (isFinal(state) ? 0 : parts), 0);
  return {
    what: 'finish',
    at: null,
    why: `${open} ${open === 1 ? 'account is' : 'accounts are'} not done yet.`,
    count: null,
  };
}

function isFinal(state: PartState): boolean {
  return FINAL_PART_STATES.some((final) => final === state);
}

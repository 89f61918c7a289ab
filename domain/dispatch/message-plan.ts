import { isQuiet, nextPermitted, type QuietHours } from '../quiet-hours.ts';

/** What the message workflow is to do next; instants in epoch milliseconds of campaign time. */
export type MessagePlan =
  | { readonly kind: 'send'; readonly lanes: number }
  | { readonly kind: 'sleep'; readonly until: number; readonly why: 'quiet_hours' | 'retry' }
  | { readonly kind: 'expire' }
  /** A gate is closed: the campaign's workflow starts this message again when it opens. */
  | { readonly kind: 'held' }
  | { readonly kind: 'done' };

/** Where a message stands when none of its lanes runs. */
export interface MessagePlanFacts {
  /** It is not being sent, or one of its gates is closed. */
  readonly isHeld: boolean;
  /** Due times (campaign time) of the waves that hold somebody who was not handed out; null is due at once. */
  readonly openWavesDueAt: readonly (number | null)[];
  readonly expiresAt: number | null;
  readonly quietHours: QuietHours;
  readonly timeZone: string;
  /** Units a second of its sender; null is unpaced. */
  readonly pace: number | null;
}

/** A message that is paced slower than this needs no second lane to keep the pace. */
const ONE_LANE_PACE_MAX = 200;
const LANES_MAX = 4;

/** Decides what a message does next at an instant of campaign time. */
export function decideMessage(facts: MessagePlanFacts, at: number): MessagePlan {
  const { expiresAt, quietHours, timeZone, pace } = facts;
  if (facts.isHeld) return { kind: 'held' };
  if (facts.openWavesDueAt.length === 0) return { kind: 'done' };
  if (expiresAt !== null && at >= expiresAt) return { kind: 'expire' };
  const opensAt = isQuiet(at, quietHours, timeZone) ? nextPermitted(at, quietHours, timeZone) : at;
  if (opensAt > at)
    return { kind: 'sleep', until: Math.min(opensAt, expiresAt ?? opensAt), why: 'quiet_hours' };
  const dueAt = Math.min(...facts.openWavesDueAt.map((due) => due ?? at));
  if (dueAt > at) return { kind: 'sleep', until: Math.min(dueAt, expiresAt ?? dueAt), why: 'retry' };
  return { kind: 'send', lanes: pace !== null && pace <= ONE_LANE_PACE_MAX ? 1 : LANES_MAX };
}

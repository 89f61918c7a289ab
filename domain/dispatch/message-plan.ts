import { isQuiet, nextPermitted, type QuietHours } from '../quiet-hours.ts';

/** What the message workflow is to do next; instants in epoch milliseconds of campaign time. */
export type MessagePlan =
  | { readonly kind: 'send'; readonly lanes: number }
  | { readonly kind: 'sleep'; readonly until: number; readonly why: 'quiet_hours' | 'retry' }
  | { readonly kind: 'expire' }
  /** A gate is closed: the campaign's workflow starts this message again when it opens. */
  | { readonly kind: 'held' }
  | { readonly kind: 'done' };

/** A wave that is not over. */
export interface OpenWave {
  /** Campaign time; null is due at once. */
  readonly dueAt: number | null;
  /** How many it has not handed out yet. */
  readonly left: number;
}

/** Where a message stands when none of its lanes counts as running. */
export interface MessagePlanFacts {
  /** It is not being sent, or one of its gates is closed. */
  readonly isHeld: boolean;
  /** The waves that hold somebody who was not handed out. */
  readonly openWaves: readonly OpenWave[];
  readonly expiresAt: number | null;
  readonly quietHours: QuietHours;
  readonly timeZone: string;
  /** Units a second of its sender; null is unpaced. */
  readonly pace: number | null;
}

/** When the newest orders of a message were given that have been carried out: its plan's, and its lanes'. */
export interface NewestOrders {
  readonly plannedAt: number | null;
  readonly askedAt: number | null;
}

/** Nobody stands still for so long; what seems older was given by a clock that has been put back since. */
const STANDSTILL_MS_MAX = 60 * 60_000;

/**
 * Whether an order to plan a message is older than what was done since, as one is that a worker carries out which stood
 * still meanwhile: lanes of a later plan are at work, and would be taken for lost.
 */
export function isOvertaken(at: number, { plannedAt, askedAt }: NewestOrders): boolean {
  return isOlder(at, plannedAt) || isOlder(at - 1, askedAt);
}

/** The same of an order to send a lane: a later plan has been made, whose lanes may be at work. */
export function isLaneOvertaken(askedAt: number, { plannedAt }: Pick<NewestOrders, 'plannedAt'>): boolean {
  return isOlder(askedAt, plannedAt);
}

function isOlder(at: number, newest: number | null): boolean {
  return newest !== null && at < newest && newest - at <= STANDSTILL_MS_MAX;
}

/** What comes of it: nobody waits for it, unless a clock was put back, and then it is asked again once that has caught up. */
export function overtakenPlan(at: number, { plannedAt, askedAt }: NewestOrders): MessagePlan {
  return { kind: 'sleep', until: Math.max(at, plannedAt ?? at, askedAt ?? at) + 1, why: 'retry' };
}

/** A message that is paced slower than this needs no second lane to keep the pace. */
const ONE_LANE_PACE_MAX = 200;
const LANES_MAX = 4;
/** Fewer recipients are not worth another lane, which is an activity that takes its turn like any other. */
const RECIPIENTS_A_LANE = 256;

/** Decides what a message does next at an instant of campaign time. */
export function decideMessage(facts: MessagePlanFacts, at: number): MessagePlan {
  const { expiresAt, quietHours, timeZone, pace } = facts;
  if (facts.isHeld) return { kind: 'held' };
  if (facts.openWaves.length === 0) return { kind: 'done' };
  if (expiresAt !== null && at >= expiresAt) return { kind: 'expire' };
  const opensAt = isQuiet(at, quietHours, timeZone) ? nextPermitted(at, quietHours, timeZone) : at;
  if (opensAt > at)
    return { kind: 'sleep', until: Math.min(opensAt, expiresAt ?? opensAt), why: 'quiet_hours' };
  const dueAt = Math.min(...facts.openWaves.map((wave) => wave.dueAt ?? at));
  if (dueAt > at) return { kind: 'sleep', until: Math.min(dueAt, expiresAt ?? dueAt), why: 'retry' };
  return { kind: 'send', lanes: pace !== null && pace <= ONE_LANE_PACE_MAX ? 1 : lanesOf(facts, at) };
}

function lanesOf({ openWaves }: MessagePlanFacts, at: number): number {
  const due = openWaves.filter((wave) => (wave.dueAt ?? at) <= at);
  const left = due.reduce((sum, wave) => sum + wave.left, 0);
  return Math.min(LANES_MAX, Math.ceil(left / RECIPIENTS_A_LANE));
}

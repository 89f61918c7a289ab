import type { HarmEvent } from './victims.ts';

/** A request whose recipients are unknown since the worker that had leased it was lost; epoch milliseconds. */
export interface LostRequest {
  readonly leasedAt: number;
  /** When it was given up. */
  readonly fencedAt: number;
}

/** A lane that has lost its engine or its database goes on with what it has, and leases once more at most. */
const AFTERMATH_MS = 30_000;

/**
 * Which of the requests no harm explains. One that hit a worker explains as many as it has slots, of what was leased
 * before it or in its aftermath and had not been given up then; those that were given up first are explained first, so
 * that as many are as can be.
 */
export function unexplained(
  lost: readonly LostRequest[],
  events: readonly HarmEvent[],
  slotsOfWorker: number,
): readonly LostRequest[] {
  let left = lost.toSorted((one, other) => one.fencedAt - other.fencedAt);
  for (const { beganAt, endedAt, workers } of events.toSorted((one, other) => one.beganAt - other.beganAt)) {
    let room = workers * slotsOfWorker;
    left = left.filter(({ leasedAt, fencedAt }) => {
      if (room === 0 || leasedAt > endedAt + AFTERMATH_MS || fencedAt < beganAt) return true;
      room -= 1;
      return false;
    });
  }
  return left;
}

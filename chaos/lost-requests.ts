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

/** When requests were leased and given up, beside what was done, in seconds after the first of all of it. */
export function whenLost(lost: readonly LostRequest[], events: readonly HarmEvent[]): string {
  const from = Math.min(...lost.map(({ leasedAt }) => leasedAt), ...events.map(({ beganAt }) => beganAt));
  const span = (began: number, ended: number): string =>
    [began, ended].map((at) => Math.round((at - from) / 1_000)).join('-');
  const times = new Set(lost.map(({ leasedAt, fencedAt }) => span(leasedAt, fencedAt)));
  const harms = events.map(({ what, beganAt, endedAt }) => `${what} ${span(beganAt, endedAt)}`);
  return `leased and given up, in seconds: ${[...times].join(', ')}; harms: ${harms.join(', ') || 'none'}`;
}

import { resolveLocalTime } from './zoned-time.ts';

/** A wall-clock schedule: local time plus zone, resolved anew on every waking. */
export interface Schedule {
  /** `YYYY-MM-DDTHH:MM[:SS]`. */
  readonly local: string;
  /** IANA name. */
  readonly zone: string;
}

/**
 * The instant of a stored schedule, in epoch milliseconds. A time that newer zone data made non-existent
 * moves to the first one after the gap; the API refuses such a time when it is given. Null if malformed.
 */
export function instantOf(schedule: Schedule): number | null {
  const resolved = resolveLocalTime(schedule.local, schedule.zone);
  if (resolved.kind === 'instant') return resolved.at;
  if (resolved.kind === 'malformed') return null;
  const after = resolveLocalTime(resolved.after, schedule.zone);
  return after.kind === 'instant' ? after.at : null;
}

/** An audience is frozen this long before the first message is due. */
export const FREEZE_LEAD_MS = 15 * 60_000;
/** A finished message waits this long, in campaign time, for the carrier's last words. */
export const SETTLE_MS = 10 * 60_000;

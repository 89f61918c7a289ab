import { isQuiet, nextPermitted, quietFrom, type QuietHours } from './quiet-hours.ts';
import { startOfNextDay } from './zoned-time.ts';

/** A cohort's share of a message, as a forecast looks at it; instants are campaign time in epoch milliseconds. */
export interface ForecastJob {
  readonly messageId: string;
  /** SMS and MMS of one sender have a pace each; what has the same one shares it. */
  readonly kind: 'sms' | 'mms';
  readonly dueAt: number;
  /** Nobody is texted from then on. */
  readonly expiresAt: number;
  readonly timeZone: string;
  readonly quietHours: QuietHours;
  readonly recipients: number;
  /** How long it takes while nothing else is sent; see `sendingMs`. */
  readonly workMs: number;
  /** What it takes of daily caps. */
  readonly units: number;
}

/** A daily cap of the sender, over all that is sent from it. */
export interface ForecastCap {
  readonly unitsPerDay: number;
  /** What is left of the day in which the forecast begins. */
  readonly unitsLeft: number;
  /** Where its day begins. */
  readonly resetZone: string;
}

/** When a message will be sent, and who is not texted on its first day. */
export interface MessageForecast {
  readonly messageId: string;
  /** Null when it expires before anybody may be texted. */
  readonly startsAt: number | null;
  /** When the last one is texted, or given up on. */
  readonly endsAt: number;
  /** Who is still to be texted when it is first interrupted, by what, and when that begins and ends. */
  readonly rollsOver: Interruption | null;
  readonly expires: { readonly count: number; readonly at: number } | null;
}

/** Why it does not go on, from when until when, and for how many. */
export interface Interruption {
  readonly why: 'quiet_hours' | 'daily_cap';
  readonly count: number;
  readonly closesAt: number;
  readonly opensAt: number;
}

/** Shares of a pace do not come out even; less than this is nothing left. */
const ROUNDING_MS = 0.5;
/** What has no pace is sent at once, which daily caps can interrupt all the same. */
const UNPACED_WORK_MS = 10_000;
/** Units are whole; less than this is nothing left. */
const ROUNDING_UNITS = 0.5;
const ROUNDING_PEOPLE = 1e-6;

interface Running {
  readonly job: ForecastJob;
  readonly workMs: number;
  leftMs: number;
  startsAt: number | null;
  endsAt: number | null;
  interruption: Interruption | null;
  expired: number;
}

interface Cap {
  readonly cap: ForecastCap;
  left: number;
  resetsAt: number;
}

/**
 * Plays the sending of a campaign from `at` on: messages that overlap share the pace and the daily caps, quiet hours
 * interrupt a cohort and a cap that is used up all of them, and whoever is left at the expiry is given up on. It knows
 * nothing of other campaigns of the sender but what they have used of today's caps.
 */
export function forecastOf(
  at: number,
  jobs: readonly ForecastJob[],
  caps: readonly ForecastCap[] = [],
): MessageForecast[] {
  const days = caps.map((cap): Cap => ({
    cap,
    left: cap.unitsLeft,
    resetsAt: startOfNextDay(at, cap.resetZone),
  }));
  const workOf = ({ workMs, units }: ForecastJob): number =>
    days.length > 0 && units > 0 ? Math.max(workMs, UNPACED_WORK_MS) : workMs;
  const running = jobs.map((job): Running => ({
    job,
    workMs: workOf(job),
    leftMs: workOf(job),
    startsAt: null,
    endsAt: null,
    interruption: null,
    expired: 0,
  }));
  let now = at;
  for (;;) {
    for (const day of days) renew(day, now);
    const cappedUntil = capOver(days);
    for (const one of running) settle(one, now, cappedUntil);
    const open = running.filter((one) => one.endsAt === null);
    if (open.length === 0) break;
    now = advance(open, days, now);
  }
  return [...new Set(jobs.map((job) => job.messageId))].map((messageId) =>
    forecastOfMessage(
      messageId,
      running.filter((one) => one.job.messageId === messageId),
    ),
  );
}

/** A day that is over gives a cap anew. */
function renew(day: Cap, now: number): void {
  if (now < day.resetsAt) return;
  day.left = day.cap.unitsPerDay;
  day.resetsAt = startOfNextDay(now, day.cap.resetZone);
}

/** Until when a cap that is used up lets nobody through, or null. */
function capOver(days: readonly Cap[]): number | null {
  const usedUp = days.filter((day) => day.left < ROUNDING_UNITS);
  return usedUp.length === 0 ? null : Math.max(...usedUp.map((day) => day.resetsAt));
}

/** Ends, starts or interrupts a job where this instant says so. */
function settle(one: Running, now: number, cappedUntil: number | null): void {
  const { job } = one;
  if (one.endsAt !== null || now < job.dueAt) return;
  if (one.startsAt !== null && one.leftMs <= ROUNDING_MS) {
    one.endsAt = now;
    return;
  }
  if (now >= job.expiresAt) {
    one.expired = peopleLeft(one);
    one.endsAt = Math.max(job.dueAt, job.expiresAt);
    return;
  }
  const isNight = isQuiet(now, job.quietHours, job.timeZone);
  if (isNight || cappedUntil !== null) {
    if (one.startsAt === null || one.interruption !== null) return;
    const opensAt = nextPermitted(Math.max(now, cappedUntil ?? now), job.quietHours, job.timeZone);
    const why = isNight ? 'quiet_hours' : 'daily_cap';
    one.interruption = { why, count: peopleLeft(one), closesAt: now, opensAt };
    return;
  }
  one.startsAt ??= now;
  if (one.leftMs <= ROUNDING_MS) one.endsAt = now;
}

/**
 * Lets time pass until something changes: a job is due, opens, closes, expires or ends, a cap is used up or begins anew.
 * Resolves with that instant.
 */
function advance(open: readonly Running[], days: readonly Cap[], now: number): number {
  const cappedUntil = capOver(days);
  const sending = cappedUntil === null ? open.filter((one) => isSending(one, now)) : [];
  const sharing = (kind: ForecastJob['kind']): number =>
    sending.filter((one) => one.job.kind === kind).length;
  const share = { sms: sharing('sms'), mms: sharing('mms') };
  const unitsPerMs = sending.reduce((sum, one) => sum + unitsOf(one, 1 / share[one.job.kind]), 0);
  const changes = open.map(({ job, leftMs }) => {
    if (now < job.dueAt) return job.dueAt;
    if (isQuiet(now, job.quietHours, job.timeZone)) {
      return Math.min(nextPermitted(now, job.quietHours, job.timeZone), job.expiresAt);
    }
    if (cappedUntil !== null) return Math.min(cappedUntil, job.expiresAt);
    const closesAt = quietFrom(now, job.quietHours, job.timeZone) ?? job.expiresAt;
    return Math.min(closesAt, job.expiresAt, now + Math.ceil(leftMs * share[job.kind]));
  });
  if (unitsPerMs > 0) {
    for (const { left, resetsAt } of days) changes.push(resetsAt, now + Math.ceil(left / unitsPerMs));
  }
  const next = Math.max(now + 1, Math.min(...changes));
  const units = unitsPerMs * (next - now);
  // A millisecond may hold more than a cap still lets through.
  const part = Math.min(1, ...days.map((day) => (units === 0 ? 1 : day.left / units)));
  for (const one of sending) one.leftMs -= (part * (next - now)) / share[one.job.kind];
  for (const day of days) day.left -= part * units;
  return next;
}

/** What so many milliseconds of a job's work take of the caps. */
function unitsOf({ job, workMs }: Running, ms: number): number {
  return workMs === 0 ? 0 : (job.units * ms) / workMs;
}

function isSending({ job }: Running, now: number): boolean {
  return now >= job.dueAt && !isQuiet(now, job.quietHours, job.timeZone);
}

function peopleLeft({ job, workMs, leftMs }: Running): number {
  if (workMs === 0) return job.recipients;
  // Rounded up, but not by what is no more than the error of a sum.
  const left = (job.recipients * Math.max(0, leftMs)) / workMs;
  return Math.min(job.recipients, Math.ceil(left - ROUNDING_PEOPLE));
}

function forecastOfMessage(messageId: string, cohorts: readonly Running[]): MessageForecast {
  const starts = cohorts.flatMap((one) => (one.startsAt === null ? [] : [one.startsAt]));
  const ends = cohorts.map((one) => one.endsAt ?? one.job.dueAt);
  const expired = cohorts.reduce((sum, one) => sum + one.expired, 0);
  const late = cohorts.flatMap((one) => {
    if (one.interruption === null) return [];
    const count = one.interruption.count - one.expired;
    return count > 0 ? [{ ...one.interruption, count }] : [];
  });
  return {
    messageId,
    startsAt: starts.length === 0 ? null : Math.min(...starts),
    endsAt: Math.max(...ends),
    rollsOver:
      late.length === 0
        ? null
        : {
            why: late.some((one) => one.why === 'quiet_hours') ? 'quiet_hours' : 'daily_cap',
            count: late.reduce((sum, one) => sum + one.count, 0),
            closesAt: Math.min(...late.map((one) => one.closesAt)),
            opensAt: Math.min(...late.map((one) => one.opensAt)),
          },
    expires:
      expired === 0
        ? null
        : {
            count: expired,
            at: Math.min(...cohorts.filter((one) => one.expired > 0).map((one) => one.job.expiresAt)),
          },
  };
}

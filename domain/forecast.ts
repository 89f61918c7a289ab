import { isQuiet, nextPermitted, quietFrom, type QuietHours } from './quiet-hours.ts';

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
}

/** When a message will be sent, and who is not texted on its first day. */
export interface MessageForecast {
  readonly messageId: string;
  /** Null when it expires before anybody may be texted. */
  readonly startsAt: number | null;
  /** When the last one is texted, or given up on. */
  readonly endsAt: number;
  /** Who is still to be texted when quiet hours first interrupt it, and when they begin and end. */
  readonly rollsOver: { readonly count: number; readonly closesAt: number; readonly opensAt: number } | null;
  readonly expires: { readonly count: number; readonly at: number } | null;
}

/** Shares of a pace do not come out even; less than this is nothing left. */
const ROUNDING_MS = 0.5;

interface Running {
  readonly job: ForecastJob;
  leftMs: number;
  startsAt: number | null;
  endsAt: number | null;
  interruption: { readonly count: number; readonly closesAt: number; readonly opensAt: number } | null;
  expired: number;
}

/**
 * Plays the sending of a campaign from `at` on: messages that overlap share the pace evenly, quiet hours interrupt a
 * cohort, and whoever is left at the expiry is given up on. It knows nothing of other campaigns of the sender.
 */
export function forecastOf(at: number, jobs: readonly ForecastJob[]): MessageForecast[] {
  const running = jobs.map((job): Running => ({
    job,
    leftMs: job.workMs,
    startsAt: null,
    endsAt: null,
    interruption: null,
    expired: 0,
  }));
  let now = at;
  for (;;) {
    for (const one of running) settle(one, now);
    const open = running.filter((one) => one.endsAt === null);
    if (open.length === 0) break;
    now = advance(open, now);
  }
  return [...new Set(jobs.map((job) => job.messageId))].map((messageId) =>
    forecastOfMessage(
      messageId,
      running.filter((one) => one.job.messageId === messageId),
    ),
  );
}

/** Ends, starts or interrupts a job where this instant says so. */
function settle(one: Running, now: number): void {
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
  if (isQuiet(now, job.quietHours, job.timeZone)) {
    if (one.startsAt === null || one.interruption !== null) return;
    const opensAt = nextPermitted(now, job.quietHours, job.timeZone);
    one.interruption = { count: peopleLeft(one), closesAt: now, opensAt };
    return;
  }
  one.startsAt ??= now;
  if (one.leftMs <= ROUNDING_MS) one.endsAt = now;
}

/** Lets time pass until something changes: a job is due, opens, closes, expires or ends. Resolves with that instant. */
function advance(open: readonly Running[], now: number): number {
  const sending = open.filter((one) => isSending(one, now));
  const sharing = (kind: ForecastJob['kind']): number =>
    sending.filter((one) => one.job.kind === kind).length;
  const share = { sms: sharing('sms'), mms: sharing('mms') };
  const changes = open.map(({ job, leftMs }) => {
    if (now < job.dueAt) return job.dueAt;
    if (isQuiet(now, job.quietHours, job.timeZone)) {
      return Math.min(nextPermitted(now, job.quietHours, job.timeZone), job.expiresAt);
    }
    const closesAt = quietFrom(now, job.quietHours, job.timeZone) ?? job.expiresAt;
    return Math.min(closesAt, job.expiresAt, now + Math.ceil(leftMs * share[job.kind]));
  });
  const next = Math.max(now + 1, Math.min(...changes));
  for (const one of sending) one.leftMs -= (next - now) / share[one.job.kind];
  return next;
}

function isSending({ job }: Running, now: number): boolean {
  return now >= job.dueAt && !isQuiet(now, job.quietHours, job.timeZone);
}

function peopleLeft({ job, leftMs }: Running): number {
  if (job.workMs === 0) return job.recipients;
  return Math.min(job.recipients, Math.ceil((job.recipients * Math.max(0, leftMs)) / job.workMs));
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

import type { ForecastCap } from '../forecast.ts';
import { startOfNextDay, toLocal } from '../zoned-time.ts';

/** What several senders may send together. A unit is a segment of SMS or a whole MMS. */
export interface Quota {
  readonly id: string;
  readonly name: string;
  /** Null is no limit. */
  readonly rateUnits: number | null;
  readonly ratePeriod: 'second' | 'minute';
  /** Null is no limit. */
  readonly dayUnits: number | null;
  /** Where its day begins. */
  readonly resetZone: string;
  /** So much of each text counts, from 1 to 100. */
  readonly sharePercent: number;
}

/** How much of a quota's newest day has been leased. */
export interface QuotaUse {
  readonly day: string;
  /** Units times the share in percent. */
  readonly dayHundredths: number;
}

/** Machine milliseconds from one unit to the next, 0 when the quota sets no rate. */
export function quotaIntervalMs(quota: Quota): number {
  if (quota.rateUnits === null) return 0;
  const periodMs = quota.ratePeriod === 'minute' ? 60_000 : 1_000;
  return (periodMs * quota.sharePercent) / (100 * quota.rateUnits);
}

/** The pace that a sender has with its quotas, in units a second; null is unpaced. */
export function paceWithin(pace: number | null, quotas: readonly Quota[]): number | null {
  const paces = quotas.map(quotaIntervalMs).flatMap((ms) => (ms === 0 ? [] : [1_000 / ms]));
  const all = pace === null ? paces : [pace, ...paces];
  return all.length === 0 ? null : Math.min(...all);
}

/** The quota's day at an instant of campaign time; a day that others have reached already is not gone back on. */
export function dayOfQuota(quota: Quota, use: QuotaUse, at: number): string {
  const today = toLocal(at, quota.resetZone).slice(0, 10);
  return today > use.day ? today : use.day;
}

/** Units that may still be leased on the quota's day; infinite without a daily cap. */
export function unitsLeft(quota: Quota, use: QuotaUse, at: number): number {
  if (quota.dayUnits === null) return Number.POSITIVE_INFINITY;
  const used = dayOfQuota(quota, use, at) === use.day ? use.dayHundredths : 0;
  return Math.max(0, Math.floor((quota.dayUnits * 100 - used) / quota.sharePercent));
}

/** The quota's daily cap as a forecast from `at` looks at it, or null without one. */
export function forecastCapOf(quota: Quota, use: QuotaUse, at: number): ForecastCap | null {
  if (quota.dayUnits === null) return null;
  return {
    unitsPerDay: unitsLeft(quota, { day: '', dayHundredths: 0 }, at),
    unitsLeft: unitsLeft(quota, use, at),
    resetZone: quota.resetZone,
  };
}

/** When the quota's next day begins, in campaign time. */
export function resetsAt(quota: Quota, at: number): number {
  return startOfNextDay(at, quota.resetZone);
}

/** How long to wait until the last of their days ends, or until everybody has expired; in campaign milliseconds. */
export function resetDelayMs(usedUp: readonly Quota[], at: number, expiresAt: number | null): number {
  const opensAt = Math.max(...usedUp.map((quota) => resetsAt(quota, at)));
  return Math.max(1, Math.min(opensAt, expiresAt ?? opensAt) - at);
}

/** The tightest daily cap that lets fewer than these units through in a day, with how many; null when none does. */
export function capBelow(
  quotas: readonly Quota[],
  units: number,
): { readonly name: string; readonly units: number } | null {
  const caps = quotas
    .filter((quota) => quota.dayUnits !== null)
    .map((quota) => ({ name: quota.name, units: unitsLeft(quota, { day: '', dayHundredths: 0 }, 0) }))
    .filter((cap) => cap.units < units);
  return caps.toSorted((one, other) => one.units - other.units)[0] ?? null;
}

import { toLocal } from '../../domain/zoned-time.ts';

/** Zones around the globe, so many that at any instant it is day in several of them. */
const ZONES = [
  'America/New_York',
  'America/Los_Angeles',
  'Europe/London',
  'Asia/Dubai',
  'Asia/Kolkata',
  'Asia/Tokyo',
  'Pacific/Auckland',
  'Pacific/Honolulu',
  'America/Denver',
  'America/Sao_Paulo',
  'Atlantic/Azores',
  'Europe/Athens',
  'Asia/Bangkok',
  'Australia/Sydney',
];
const MORNING_HOUR = 9;
const EVENING_HOUR = 19;

/** Zones in which it is day for the next hour at least, so that quiet hours hold nobody up there. Throws when there are not that many. */
export function zonesInDaylight(now: number, howMany: number): string[] {
  const found = ZONES.filter((zone) => {
    const hour = Number(toLocal(now, zone).slice(11, 13));
    return hour >= MORNING_HOUR && hour < EVENING_HOUR;
  });
  if (found.length < howMany) {
    throw new Error(`It is day in ${found.length} of the demo’s zones, and ${howMany} are needed.`);
  }
  return found.slice(0, howMany);
}

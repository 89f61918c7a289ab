import type { Lease, LeasedRecipient } from './dispatch-store.ts';
import { LEASE_WIDTH_MAX } from './pace.ts';

/** Cuts people into as many leases as they need, in their order. */
export function cutIntoLeases<Person>(
  people: readonly Person[],
  leaseWidthMax = LEASE_WIDTH_MAX,
): (readonly Person[])[] {
  const parts: (readonly Person[])[] = [];
  for (let from = 0; from < people.length; from += leaseWidthMax) {
    parts.push(people.slice(from, from + leaseWidthMax));
  }
  return parts;
}

/** Everybody gets the same text, so that one request in the carrier's bulk form carries all. */
export function isBulk(people: readonly Pick<LeasedRecipient, 'text'>[]): boolean {
  const [first] = people;
  return people.length > 1 && people.every((person) => person.text === first?.text);
}

/** Who shares a request with whom. */
export function requestsOf(lease: Lease): (readonly LeasedRecipient[])[] {
  return lease.isBulk ? [lease.recipients] : lease.recipients.map((person) => [person]);
}

/** The machine milliseconds until the next request after one to these people. */
export function paceOf(lease: Lease, people: readonly LeasedRecipient[]): number {
  return Math.max(lease.requestIntervalMs, lease.segmentIntervalMs * unitsOf(lease, people));
}

/** What texts to these people count for, as pace and quotas have it: segments of an SMS, each MMS for one. */
export function unitsOf({ kind }: Pick<Lease, 'kind'>, people: readonly LeasedRecipient[]): number {
  return kind === 'mms' ? people.length : people.reduce((sum, person) => sum + person.segments, 0);
}

/** Leases that were granted together take turns: each begins when the pace of those before has passed. */
export function inTurn(leases: readonly Lease[]): Lease[] {
  let passedMs = 0;
  return leases.map((lease) => {
    const startDelayMs = lease.startDelayMs + passedMs;
    passedMs += requestsOf(lease).reduce((sum, people) => sum + paceOf(lease, people), 0);
    return { ...lease, startDelayMs };
  });
}

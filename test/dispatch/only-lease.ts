import type { Lease, LeaseAnswer, LeasedRecipient } from '../../domain/dispatch/dispatch-store.ts';

/** The one lease that was opened; throws an Error if it was none or several. */
export function onlyLease(answer: LeaseAnswer): Lease {
  if (answer.kind !== 'leased') throw new Error(`Expected a lease, got ${answer.kind}.`);
  const [lease, ...others] = answer.leases;
  if (lease === undefined || others.length > 0) throw new Error(`There are ${answer.leases.length} leases.`);
  return lease;
}

/** Whom all leases that were opened allow to be texted. */
export function leasedPeople(answer: LeaseAnswer): readonly LeasedRecipient[] {
  return answer.kind === 'leased' ? answer.leases.flatMap((lease) => lease.recipients) : [];
}

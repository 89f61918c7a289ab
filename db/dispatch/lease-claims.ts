import type { LeasedRecipient } from '../../domain/dispatch/dispatch-store.ts';
import { numbersLiteral } from '../array-literal.ts';

/**
 * What a lease claims for each of its range from this ordinal on, as arrays of PostgreSQL with nothing for whoever was
 * refused. Null where it claims the same for all, as nearly every lease does: each has his share of the sum then.
 */
export function claimsByOrdinal(
  people: readonly (LeasedRecipient & { readonly ordinal: number })[],
  ordinalFirst: number,
): { readonly segments: string; readonly costs: string } | null {
  const [one] = people;
  const last = people.at(-1);
  if (one === undefined || last === undefined) return null;
  if (
    people.every((person) => person.segments === one.segments && person.costMicroUsd === one.costMicroUsd)
  ) {
    return null;
  }
  const size = last.ordinal - ordinalFirst + 1;
  const segments = Array.from({ length: size }, () => 0);
  const costs = [...segments];
  for (const person of people) {
    segments[person.ordinal - ordinalFirst] = person.segments;
    costs[person.ordinal - ordinalFirst] = person.costMicroUsd;
  }
  return { segments: numbersLiteral(segments), costs: numbersLiteral(costs) };
}

import type { Lease, LeasedRecipient } from '../domain/dispatch/dispatch-store.ts';

/** Sees whether more texts go out behind a closed gate than the answer to the hold has named. */
export interface HoldsWitness {
  /** Whoever placed a hold on a scope was told how many texts may still be on their way. */
  readonly named: (scope: string, inFlight: number) => void;
  /** The last hold of a scope was lifted. */
  readonly released: (scope: string) => void;
  /** A request has arrived at the carrier. */
  readonly arrived: (lease: Lease, people: readonly LeasedRecipient[]) => void;
}

/** What was said when a hold was placed, and what has gone out since. */
interface Word {
  readonly inFlight: number;
  arrived: number;
}

/** A witness of the holds of one simulation. Each hold's word stands until the gate of its scope opens. */
export function createHoldsWitness(blame: (invariant: string, what: string) => void): HoldsWitness {
  const standing = new Map<string, Word[]>();
  return {
    named: (scope, inFlight) => {
      standing.set(scope, [...(standing.get(scope) ?? []), { inFlight, arrived: 0 }]);
    },
    released: (scope) => {
      standing.delete(scope);
    },
    arrived: (lease, people) => {
      for (const scope of lease.scopes) {
        for (const word of standing.get(scope) ?? []) {
          word.arrived += people.length;
          if (word.arrived <= word.inFlight) continue;
          blame(
            'I4',
            `lease ${lease.id} goes out behind a hold on ${scope} that has named ${word.inFlight}, and is text ${word.arrived}`,
          );
        }
      }
    },
  };
}

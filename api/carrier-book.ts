import type { SealedCredentials } from '../db/carrier-accounts.ts';

/** A carrier account as the path of an inbound text names it. */
export interface ListedCarrier extends SealedCredentials {
  /** The one that a path may name `default`. */
  readonly isDefault: boolean;
}

/** The carrier accounts of the installation, known for a moment. */
export interface CarrierBook {
  /**
   * The id of the carrier account of this name whose credentials have signed something, or null. `isSignedBy` is told
   * null where there is no such account, so that it takes as long as with one that there is.
   */
  readonly signer: (
    name: string,
    isSignedBy: (sealed: SealedCredentials | null) => boolean,
  ) => Promise<string | null>;
}

/** Stands for the default carrier account in the path of inbound texts. */
const DEFAULT = 'default';
/** What is known is believed for so long. */
const BELIEVED_MS = 10_000;
/** Whoever is refused by what is known is looked up once more if that is so old: his token may be a new one. */
const DOUBTED_MS = 1_000;

/**
 * A book that asks for all carrier accounts at once, which are few: whoever posts what is forged, under whatever names,
 * costs the database a question a second at most. `now` is monotonic machine time in milliseconds.
 */
export function createCarrierBook(deps: {
  readonly load: () => Promise<readonly ListedCarrier[]>;
  readonly now: () => number;
}): CarrierBook {
  let known: {
    readonly askedAt: number;
    readonly carriers: Promise<ReadonlyMap<string, ListedCarrier>>;
  } | null = null;
  const ask = (): Promise<ReadonlyMap<string, ListedCarrier>> => {
    const asked = { askedAt: deps.now(), carriers: deps.load().then(byName) };
    known = asked;
    asked.carriers.catch(() => {
      if (known === asked) known = null;
    });
    return asked.carriers;
  };
  const notOlderThan = (ageMs: number): Promise<ReadonlyMap<string, ListedCarrier>> =>
    known !== null && deps.now() - known.askedAt < ageMs ? known.carriers : ask();

  return {
    signer: async (name, isSignedBy) => {
      const believed = await notOlderThan(BELIEVED_MS);
      const carrier = believed.get(name) ?? null;
      if (isSignedBy(carrier) && carrier !== null) return carrier.id;
      const asked = await notOlderThan(DOUBTED_MS);
      if (asked === believed) return null;
      const changed = asked.get(name) ?? null;
      return isSignedBy(changed) && changed !== null ? changed.id : null;
    },
  };
}

function byName(carriers: readonly ListedCarrier[]): ReadonlyMap<string, ListedCarrier> {
  const names = carriers.map((carrier) => [carrier.id, carrier] as const);
  const defaults = carriers.filter((one) => one.isDefault).map((carrier) => [DEFAULT, carrier] as const);
  return new Map([...names, ...defaults]);
}

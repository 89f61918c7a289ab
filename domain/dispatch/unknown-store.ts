import type { ListVerdict } from '../carrier-list.ts';

/** Names an attempt. */
export interface AttemptKey {
  readonly accountId: string;
  /** Ledger month, `YYYY-MM-01`. */
  readonly month: string;
  readonly messageKey: number;
  readonly recipient: number;
  readonly attempt: number;
}

/** Names a text on trial. */
export interface TestKey {
  readonly accountId: string;
  readonly testKey: number;
}

/** Names a text of ours. */
export type TextKey = AttemptKey | TestKey;

/** Whether it is a text on trial. */
export function isTestKey(key: TextKey): key is TestKey {
  return 'testKey' in key;
}

/** The same key of what has to be an attempt. Throws an Error where it is not. */
export function asAttempt(key: TextKey): AttemptKey {
  if (isTestKey(key)) throw new Error('An attempt is asked for here, and this is a text on trial.');
  return key;
}

/** An unknown text whose turn it is; instants are machine time in epoch milliseconds. */
export type Unknown = TextKey & Doubt;

/** What the carrier's list is asked with. */
export interface Doubt {
  /** The address that it was sent from. */
  readonly from: string;
  /** E.164; null once its owner has been erased, and then the list cannot be asked. */
  readonly number: string | null;
  /** Keyed hash of the number, hexadecimal. */
  readonly numberHash: string | null;
  /** The post lies between these. */
  readonly postedSince: number;
  readonly postedUntil: number;
}

/** A text of ours from an address to a number. */
export interface KnownText {
  readonly key: TextKey;
  readonly standing: 'bound' | 'accepted' | 'unknown' | 'in_flight';
  readonly uuid: string | null;
}

/** What an ask has found, and when the next one is due; machine time in epoch milliseconds. */
export interface Evidence {
  readonly askedAt: number;
  readonly since: number;
  readonly until: number;
  /** Records in the list, and those of them that are known to be of other texts. */
  readonly listed: number;
  readonly explained: number;
  readonly isComplete: boolean;
  readonly verdict: ListVerdict['kind'];
  readonly nextAskAt: number;
}

/** Unknown texts as whoever asks the carrier's list sees them. One contract, in PostgreSQL and in memory. */
export interface UnknownStore {
  /** Takes the one of a carrier account whose turn it is; nobody else is given it until `againAt`. */
  takeUnknown(carrierAccountId: string, at: number, againAt: number): Promise<Unknown | null>;
  /** When the next turn is; null: there are none. */
  nextTurnAt(carrierAccountId: string): Promise<number | null>;
  /** All texts that were leased in this time for a number, whoever sent them, and those that are being posted. */
  knownTexts(
    carrierAccountId: string,
    of: { readonly from: string; readonly numberHash: string },
    since: number,
    until: number,
  ): Promise<readonly KnownText[]>;
  /**
   * Writes down what the list has said of an unknown text, and what follows from it; `wake` is the campaign that now
   * has somebody to try again by itself. Whoever was resolved meanwhile stays so: a report is the better proof.
   */
  recordVerdict(
    key: TextKey,
    evidence: Evidence,
    uuid: string | null,
  ): Promise<{ readonly wake: string | null }>;
  /** Gives an unknown text its turn later, when the list could not be asked. */
  putOff(key: TextKey, until: number): Promise<void>;
  /** Calls those final that were posted before an instant, some at a time. Resolves with how many. */
  closeUnknowns(carrierAccountId: string, postedBefore: number, howMany: number): Promise<number>;
  /** Takes one list request of the carrier account's limit, over all processes. Resolves with how long to wait for it. */
  grantList(carrierAccountId: string): Promise<number>;
  /** Asks nobody for the list for a while, since the carrier has said so. */
  slowLists(carrierAccountId: string, delayMs: number): Promise<void>;
}

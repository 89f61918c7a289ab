const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * When the carrier's list is asked for an unknown attempt, in machine time.
 *
 * The list is looked through from a minute before the lease to two minutes after the record, since the carrier's clock
 * is not ours. Somebody whom it lacks counts as absent from ten minutes after that on, as records may show late. A day
 * after the record nothing more is to come: a text that waits at the carrier fails after three hours, a report is
 * repeated for minutes only, and without a time the list itself reaches back a day.
 */
export interface AskingTimes {
  /** How long after the record each ask is due; the first one comes at once after the carrier's usual reports. */
  readonly askDelaysMs: readonly number[];
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly absentAfterMs: number;
  readonly horizonMs: number;
}

/** The times of a real carrier. */
export const ASKING_TIMES: AskingTimes = {
  askDelaysMs: [0, 2 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS],
  beforeMs: MINUTE_MS,
  afterMs: 2 * MINUTE_MS,
  absentAfterMs: 10 * MINUTE_MS,
  horizonMs: 24 * HOUR_MS,
};

/** The same, so many times as fast, for rehearsals with the sandbox carrier. The time looked through stays. */
export function fasterAsking(times: AskingTimes, factor: number): AskingTimes {
  return {
    ...times,
    askDelaysMs: times.askDelaysMs.map((delayMs) => delayMs / factor),
    absentAfterMs: times.absentAfterMs / factor,
    afterMs: times.afterMs / factor,
    horizonMs: times.horizonMs / factor,
  };
}

/** The carrier counts lists in a sliding minute; spreading a tenth under its limit keeps every minute within it. */
const LISTS_USED = 0.9;

/** Machine milliseconds from one request for a list to the next. */
export function listIntervalMs(listsPerMinute: number): number {
  return MINUTE_MS / LISTS_USED / listsPerMinute;
}

/** When the list is asked again after it was asked at an instant; the horizon, once nothing else is left. */
export function nextAskAt(times: AskingTimes, postedUntil: number, askedAt: number): number {
  const delayMs = times.askDelaysMs.find((one) => postedUntil + one > askedAt);
  return postedUntil + (delayMs ?? times.horizonMs);
}

/**
 * What became of an unknown attempt. `open`: the list has not told yet. `absent`: it does not have it. `final`: nothing
 * will be told any more. `accepted`: something has proved it. `superseded`: an attempt after it has a result.
 */
export const UNKNOWN_STATES = ['open', 'absent', 'final', 'accepted', 'superseded'] as const;
export type UnknownState = (typeof UNKNOWN_STATES)[number];

/** What the list has to say about an unknown attempt, from one address to one number. */
export interface ListFacts {
  /** Uuids of all records in the time asked for. */
  readonly listed: readonly string[];
  /** Uuids that are bound to other attempts and texts on trial. */
  readonly bound: ReadonlySet<string>;
  /** Texts that the carrier has certainly taken without our knowing their uuids, and that may be in the list. */
  readonly accepted: number;
  /** Those of them that went out in the time asked for whatever the clocks say, so the list has to have them. */
  readonly acceptedInTime: number;
  /** Unknown attempts that any of the records may be, the one that is asked for among them. */
  readonly unknown: number;
  /** Texts that are being posted at this moment. */
  readonly inFlight: number;
  /** All pages have been read. */
  readonly isComplete: boolean;
  /** Whatever the carrier has taken is visible by now. */
  readonly isLate: boolean;
}

/**
 * `accepted`: all of the unknown ones; the uuid where there is only one of each. `absent`: none of them. `too_early`: a
 * record may still show. `unclear`: the list could mean more than one thing, so it proves nothing.
 */
export type ListVerdict =
  | { readonly kind: 'accepted'; readonly uuid: string | null }
  | { readonly kind: 'absent' | 'too_early' | 'unclear' };

/**
 * Reads the list. Nobody is taken for accepted whom it could mean otherwise: only if there are exactly as many records
 * left as there are texts of ours that they can be, each of them is one.
 */
export function readList(facts: ListFacts): ListVerdict {
  // Without an unknown one of ours, whoever was asked for has been resolved meanwhile.
  if (!facts.isComplete || facts.inFlight > 0 || facts.unknown === 0) return { kind: 'unclear' };
  const left = facts.listed.filter((uuid) => !facts.bound.has(uuid));
  if (left.length === facts.accepted + facts.unknown) {
    const [only = null] = left;
    return { kind: 'accepted', uuid: left.length === 1 ? only : null };
  }
  // A record is of nobody else only if it has to be of an accepted one: who may have gone out before the time asked for
  // may be missing, and then his record would be this one's.
  if (left.length === facts.acceptedInTime) return { kind: facts.isLate ? 'absent' : 'too_early' };
  return { kind: left.length < facts.acceptedInTime ? 'too_early' : 'unclear' };
}

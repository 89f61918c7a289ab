import { type AskingTimes, type ListVerdict, nextAskAt, readList } from '../carrier-list.ts';
import type { MachineClock } from './machine-clock.ts';
import {
  type Evidence,
  isTestKey,
  type KnownText,
  type TextKey,
  type Unknown,
  type UnknownStore,
} from './unknown-store.ts';

/** A page of the carrier's list, or why there is none; see `carrier/carrier.ts`, whose answers have this shape. */
export type ListPage =
  | {
      readonly kind: 'listed';
      readonly texts: readonly { readonly uuid: string }[];
      readonly isLast: boolean;
    }
  | { readonly kind: 'failed'; readonly cause: string; readonly retryAfterMs: number | null };

/** Texts from an address to a number in a time (epoch milliseconds), without the first `offset`. */
export interface ListQuestion {
  readonly from: string;
  readonly to: string;
  readonly since: number;
  readonly until: number;
  readonly offset: number;
}

/** What asking the carrier's list reaches the world through. */
export interface AskListDeps {
  readonly store: UnknownStore;
  /** One request at most. Never rejects. */
  readonly list: (carrierAccountId: string, question: ListQuestion, signal: AbortSignal) => Promise<ListPage>;
  readonly machine: MachineClock;
  readonly times: AskingTimes;
}

/** One number has hardly ever more texts in some minutes; what goes on after this many pages proves nothing. */
const PAGES_MAX = 5;
/** A text may show this long after its lease was opened: the lease's age, the answer, and a clock that is not ours. */
const SHOWS_WITHIN_MS = 100_000;
/** Leases that were opened so long before the time looked through may still show in it, if their worker stood still. */
const LEASE_LEAD_MS = 5 * 60_000;
/** The carrier's clock may be so far behind ours, and a text that was leased after the time looked through show in it. */
const CLOCKS_MS_MAX = 60_000;
const FAILED_WAIT_MS = 60_000;

/** What an ask has come to. */
export interface Asked {
  readonly verdict: ListVerdict['kind'] | 'failed';
  /** The campaign that now has somebody to try again by itself. */
  readonly wake: string | null;
}

const FAILED: Asked = { verdict: 'failed', wake: null };

/**
 * Asks the carrier's list about an unknown text, within the limit that all processes share, and writes down what it
 * says. `now` is machine time in epoch milliseconds. Resolves with the verdict, or `failed` when there was no answer.
 */
export async function askList(
  deps: AskListDeps,
  carrierAccountId: string,
  unknown: Unknown,
  now: () => number,
  signal: AbortSignal,
): Promise<Asked> {
  const { store, times } = deps;
  const { number, numberHash, from, postedSince, postedUntil } = unknown;
  if (number === null || numberHash === null) {
    await store.putOff(unknown, postedUntil + times.horizonMs);
    return FAILED;
  }
  const since = postedSince - times.beforeMs;
  const until = postedUntil + times.afterMs;
  const askedAt = now();
  const pages = await readPages(deps, carrierAccountId, { from, to: number, since, until }, signal);
  if (pages === null) {
    await store.putOff(unknown, now() + FAILED_WAIT_MS);
    return FAILED;
  }
  // Read after the list: whatever is recorded meanwhile makes the list mean less, never more.
  const of = { from, numberHash };
  const ours = await store.knownTexts(carrierAccountId, of, since - LEASE_LEAD_MS, until + CLOCKS_MS_MAX);
  const inTime = await store.knownTexts(carrierAccountId, of, postedSince, until - SHOWS_WITHIN_MS);
  const bound = new Set(ours.flatMap(({ uuid }) => (uuid === null ? [] : [uuid])));
  const { listed, isComplete } = pages;
  const verdict = readList({
    listed,
    bound,
    accepted: countOf(ours, 'accepted'),
    acceptedInTime: countOf(inTime, 'accepted'),
    unknown: countOf(ours, 'unknown'),
    inFlight: countOf(ours, 'in_flight'),
    isComplete,
    isLate: askedAt >= until + times.absentAfterMs,
  });
  const evidence: Evidence = {
    askedAt,
    since,
    until,
    listed: listed.length,
    explained: listed.filter((uuid) => bound.has(uuid)).length,
    isComplete,
    verdict: verdict.kind,
    nextAskAt: nextAskAt(times, postedUntil, askedAt),
  };
  return { verdict: verdict.kind, wake: await recordAll(store, unknown, ours, evidence, verdict) };
}

function countOf(texts: readonly KnownText[], standing: KnownText['standing']): number {
  return texts.filter((text) => text.standing === standing).length;
}

/** An acceptance is that of every unknown text which the records may be; anything else is said of this one only. */
async function recordAll(
  store: UnknownStore,
  unknown: Unknown,
  ours: readonly KnownText[],
  evidence: Evidence,
  verdict: ListVerdict,
): Promise<string | null> {
  const keys: TextKey[] = [unknown];
  if (verdict.kind === 'accepted') {
    for (const { key, standing } of ours) {
      if (standing === 'unknown' && !isSame(key, unknown)) keys.push(key);
    }
  }
  let wake: string | null = null;
  for (const key of keys) {
    const recorded = await store.recordVerdict(
      key,
      evidence,
      verdict.kind === 'accepted' ? verdict.uuid : null,
    );
    wake ??= recorded.wake;
  }
  return wake;
}

function isSame(one: TextKey, other: TextKey): boolean {
  if (isTestKey(one) || isTestKey(other)) {
    return isTestKey(one) && isTestKey(other) && one.testKey === other.testKey;
  }
  return (
    one.month === other.month &&
    one.messageKey === other.messageKey &&
    one.recipient === other.recipient &&
    one.attempt === other.attempt
  );
}

/** Uuids on all pages, each of which counts against the limit; null when one could not be had. */
async function readPages(
  deps: AskListDeps,
  carrierAccountId: string,
  wanted: Omit<ListQuestion, 'offset'>,
  signal: AbortSignal,
): Promise<{ readonly listed: readonly string[]; readonly isComplete: boolean } | null> {
  const uuids: string[] = [];
  for (let page = 0; page < PAGES_MAX; page += 1) {
    await deps.machine.sleep(await deps.store.grantList(carrierAccountId), signal);
    if (signal.aborted) return null;
    const answer = await deps.list(carrierAccountId, { ...wanted, offset: uuids.length }, signal);
    if (answer.kind === 'failed') {
      if (answer.cause === 'rate_limited') {
        await deps.store.slowLists(carrierAccountId, answer.retryAfterMs ?? FAILED_WAIT_MS);
      }
      return null;
    }
    uuids.push(...answer.texts.map(({ uuid }) => uuid));
    if (answer.isLast) return { listed: [...new Set(uuids)], isComplete: true };
  }
  return { listed: [...new Set(uuids)], isComplete: false };
}

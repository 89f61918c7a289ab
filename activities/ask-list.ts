import type { ListedText, ListResult } from '../carrier/carrier.ts';
import type { Db } from '../db/database.ts';
import { grantList, slowLists } from '../db/reconcile/grant-list.ts';
import {
  type AttemptKey,
  type Evidence,
  knownTexts,
  type KnownText,
  putOff,
  recordVerdict,
  type Unknown,
} from '../db/reconcile/unknowns.ts';
import { type AskingTimes, type ListVerdict, nextAskAt, readList } from '../domain/carrier-list.ts';
import type { MachineClock } from '../domain/dispatch/post-lease.ts';
import type { Carriers } from './carriers.ts';

/** What asking the carrier's list needs. */
export interface AskListDeps {
  readonly db: Db;
  readonly carriers: Pick<Carriers, 'list'>;
  readonly machine: MachineClock;
  readonly times: AskingTimes;
}

/** One number has hardly ever more texts in some minutes; what goes on after this many pages proves nothing. */
const PAGES_MAX = 5;
/** Leases that were opened so long before the time looked through can still have posted in it. */
const LEASE_LEAD_MS = 60_000;
const FAILED_WAIT_MS = 60_000;

/** What an ask has come to. */
export interface Asked {
  readonly verdict: ListVerdict['kind'] | 'failed';
  /** The campaign that now has somebody to try again by itself. */
  readonly wake: string | null;
}

const FAILED: Asked = { verdict: 'failed', wake: null };

/**
 * Asks the carrier's list about an unknown attempt, within the limit that all processes share, and writes down what it
 * says. `now` is machine time in epoch milliseconds. Resolves with the verdict, or `failed` when there was no answer.
 */
export async function askList(
  deps: AskListDeps,
  carrierAccountId: string,
  unknown: Unknown,
  now: () => number,
  signal: AbortSignal,
): Promise<Asked> {
  const { times } = deps;
  const { number, numberHash } = unknown;
  const postedUntil = unknown.postedUntil.getTime();
  if (number === null || numberHash === null) {
    await putOff(deps.db, unknown, postedUntil + times.horizonMs);
    return FAILED;
  }
  const since = unknown.postedSince.getTime() - times.beforeMs;
  const until = postedUntil + times.afterMs;
  const askedAt = now();
  const pages = await readPages(
    deps,
    carrierAccountId,
    { from: unknown.from, to: number, since, until },
    signal,
  );
  if (pages === null) {
    await putOff(deps.db, unknown, now() + FAILED_WAIT_MS);
    return FAILED;
  }
  // Read after the list: whatever is recorded meanwhile makes the list mean less, never more.
  const ours = await knownTexts(
    deps.db,
    carrierAccountId,
    { from: unknown.from, numberHash },
    since - LEASE_LEAD_MS,
    until,
  );
  const bound = new Set(ours.flatMap(({ uuid }) => (uuid === null ? [] : [uuid])));
  const countOf = (standing: KnownText['standing']): number =>
    ours.filter((text) => text.standing === standing).length;
  const listed = [...new Set(pages.texts.map(({ uuid }) => uuid))];
  const verdict = readList({
    listed,
    bound,
    accepted: countOf('accepted'),
    unknown: countOf('unknown'),
    inFlight: countOf('in_flight'),
    isComplete: pages.isComplete,
    isLate: askedAt >= until + times.absentAfterMs,
  });
  const evidence: Evidence = {
    askedAt,
    since,
    until,
    listed: listed.length,
    explained: listed.filter((uuid) => bound.has(uuid)).length,
    isComplete: pages.isComplete,
    verdict: verdict.kind,
    nextAskAt: nextAskAt(times, postedUntil, askedAt),
  };
  return { verdict: verdict.kind, wake: await recordAll(deps.db, unknown, ours, evidence, verdict) };
}

/** An acceptance is that of every unknown text which the records may be; anything else is said of this one only. */
async function recordAll(
  db: Db,
  unknown: Unknown,
  ours: readonly KnownText[],
  evidence: Evidence,
  verdict: ListVerdict,
): Promise<string | null> {
  const keys: AttemptKey[] = [unknown];
  if (verdict.kind === 'accepted') {
    for (const { key, standing } of ours) {
      if (key !== null && standing === 'unknown' && !isSame(key, unknown)) keys.push(key);
    }
  }
  let wake: string | null = null;
  for (const key of keys) {
    const recorded = await recordVerdict(
      db,
      key,
      evidence,
      verdict.kind === 'accepted' ? verdict.uuid : null,
    );
    wake ??= recorded.wake;
  }
  return wake;
}

function isSame(one: AttemptKey, other: AttemptKey): boolean {
  return (
    one.month === other.month &&
    one.messageKey === other.messageKey &&
    one.recipient === other.recipient &&
    one.attempt === other.attempt
  );
}

/** All pages, each of which counts against the limit; null when one could not be had. */
async function readPages(
  deps: AskListDeps,
  carrierAccountId: string,
  wanted: { readonly from: string; readonly to: string; readonly since: number; readonly until: number },
  signal: AbortSignal,
): Promise<{ readonly texts: readonly ListedText[]; readonly isComplete: boolean } | null> {
  const texts: ListedText[] = [];
  for (let page = 0; page < PAGES_MAX; page += 1) {
    await deps.machine.sleep(await grantList(deps.db, carrierAccountId), signal);
    if (signal.aborted) return null;
    const answer: ListResult = await deps.carriers.list(
      carrierAccountId,
      { ...wanted, offset: texts.length },
      signal,
    );
    if (answer.kind === 'failed') {
      if (answer.cause === 'rate_limited') {
        await slowLists(deps.db, carrierAccountId, answer.retryAfterMs ?? FAILED_WAIT_MS);
      }
      return null;
    }
    texts.push(...answer.texts);
    if (answer.isLast) return { texts, isComplete: true };
  }
  return { texts, isComplete: false };
}

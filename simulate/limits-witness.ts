import { CATCH_UP_MS_MAX } from '../domain/dispatch/await-turn.ts';
import { FAILURES_MIN, type CircuitState, PROBE_DELAY_MS } from '../domain/dispatch/circuit.ts';
import type { Lease, LeasedRecipient } from '../domain/dispatch/dispatch-store.ts';
import { campaignOf, isInFlight, type MemoryLedger, messageOf } from '../domain/dispatch/memory-ledger.ts';
import { quotasOf } from '../domain/dispatch/memory-claims.ts';
import { requestIntervalMs } from '../domain/dispatch/pace.ts';
import { quotaIntervalMs } from '../domain/dispatch/quota.ts';
import type { EventLoop } from './event-loop.ts';
import { isCalm } from './repeats-witness.ts';
import { type Scenario, TEXT_SEGMENTS_MAX } from './scenario.ts';
import { costUsed } from './true-costs.ts';

/** Finds fault with what passes a limit: money, pace, quotas, the carrier's own pauses, and its rest. */
export interface LimitsWitness {
  /** A circuit over the lease stood so before it was made. */
  readonly checkLease: (lease: Lease, before: CircuitState) => void;
  readonly checkPost: (lease: Lease, people: readonly LeasedRecipient[], leasedAt: number) => void;
  /** So many requests are under way at the carrier. */
  readonly underWay: (count: number) => void;
  /** The carrier has asked for a pause, and all workers know. */
  readonly slowed: (delayMs: number) => void;
  /** So many requests have arrived since the carrier broke down. */
  readonly failedWhileDown: (count: number, downForMs: number) => void;
}

/** Where answers take longer than this, what is spread over time bounds nothing. */
const PUNCTUAL_MS = 400;
const PACE_WINDOW_MS = 8_000;
/** A lease of about two seconds goes out at once in bulk form, another may be late, and one text may be a long one. */
const PACE_SLACK_MS = 3_500;
/** While a failure is on its way to all workers each of their slots may be used some times more. */
const ROUNDS_UNTIL_KNOWN = 4;

/** A witness of limits. */
export function createLimitsWitness(deps: {
  readonly ledger: MemoryLedger;
  readonly loop: EventLoop;
  readonly scenario: Scenario;
  readonly blame: (invariant: string, what: string) => void;
}): LimitsWitness {
  const { ledger, loop, scenario, blame } = deps;
  const { weather, limit } = scenario;
  const isPunctual = weather.freeze === 0 && weather.latencyMs <= PUNCTUAL_MS;
  const requestTimes: number[] = [];
  // A lease hears late of what it was granted, a request is late on its way, and a little is made up for.
  const lateMs = 2 * weather.latencyMs + CATCH_UP_MS_MAX;
  const requestsMost = Math.max(
    limit.requestsMax,
    Math.floor((limit.windowMs + lateMs) / requestIntervalMs(limit)) + 1,
  );
  const unitsOf = new Map<string, { readonly at: number; readonly units: number }[]>();
  const leasesOf = new Map<string, readonly number[]>();
  const probes: { readonly id: number; readonly senderId: string; readonly at: number }[] = [];
  const slowed = { step: 0, until: 0 };

  const checkRequests = (): void => {
    // A grant is spread over time, so it bounds a window only as far as processes and connections are punctual.
    if (limit.requestsMax === 0 || !isPunctual) return;
    requestTimes.push(loop.now());
    while ((requestTimes[0] ?? 0) <= loop.now() - limit.windowMs) requestTimes.shift();
    if (requestTimes.length > requestsMost) {
      blame('pace', `${requestTimes.length} requests left within ${limit.windowMs} ms`);
    }
  };

  const checkPace = (what: string, units: number, perSecond: number): void => {
    if (!isPunctual) return;
    const known = unitsOf.get(what) ?? [];
    known.push({ at: loop.now(), units });
    while ((known[0]?.at ?? 0) <= loop.now() - PACE_WINDOW_MS) known.shift();
    unitsOf.set(what, known);
    const sum = known.reduce((all, one) => all + one.units, 0);
    const most = ((PACE_WINDOW_MS + PACE_SLACK_MS) / 1_000) * perSecond + TEXT_SEGMENTS_MAX;
    if (sum > most) blame('pace', `${sum} units of ${what} left within ${PACE_WINDOW_MS} ms`);
  };

  const checkMoney = (lease: Lease): void => {
    const { spendLimitMicroUsd } = ledger;
    if (spendLimitMicroUsd !== null && costUsed(ledger) > spendLimitMicroUsd) {
      blame('I5', `lease ${lease.id} makes ${costUsed(ledger)} micro-dollars of ${spendLimitMicroUsd}`);
    }
    const { campaignId } = messageOf(ledger, ledger.leases.get(lease.id)?.messageId ?? '');
    const { budgetMicroUsd } = campaignOf(ledger, campaignId);
    const used = costUsed(ledger, campaignId);
    if (budgetMicroUsd !== null && used > budgetMicroUsd) {
      blame('I5', `lease ${lease.id} makes ${used} of ${campaignId}'s budget of ${budgetMicroUsd}`);
    }
  };

  const checkDays = (lease: Lease): void => {
    const sender = ledger.senders.get(lease.senderId);
    if (sender === undefined) return;
    for (const { quota, use } of quotasOf(ledger, sender)) {
      const key = `${quota.id} ${use.day}`;
      const leases = [...(leasesOf.get(key) ?? []), lease.id];
      leasesOf.set(key, leases);
      const units = leases.reduce((sum, id) => sum + unitsUsed(ledger, id), 0);
      if (quota.dayUnits !== null && units * quota.sharePercent > quota.dayUnits * 100) {
        blame('quota', `lease ${lease.id} makes ${units} of ${quota.dayUnits} units of a day`);
      }
    }
  };

  /** Of a sender whose carrier is left alone one text at a time may be on its way. */
  const checkProbe = (lease: Lease): void => {
    if (!lease.isProbe) return;
    const isOut = probes.some(({ id, senderId, at }) => {
      const known = ledger.leases.get(id);
      // A request from before the probe that fails late counts as its failure, and the next one has its turn after that.
      const isFresh = loop.now() - at < PROBE_DELAY_MS;
      return isFresh && senderId === lease.senderId && known !== undefined && isInFlight(ledger, known);
    });
    if (isOut) blame('circuit', `lease ${lease.id} probes while another does`);
    probes.push({ id: lease.id, senderId: lease.senderId, at: loop.now() });
  };

  return {
    checkLease: (lease, before) => {
      checkProbe(lease);
      checkMoney(lease);
      checkDays(lease);
      if (before.openMs === null) return;
      const isProbe = lease.isProbe && lease.recipients.length === 1 && before.probeInMs <= 0;
      if (!isProbe) blame('circuit', `lease ${lease.id} is made although the carrier is left alone`);
    },
    checkPost: (lease, people, step) => {
      checkRequests();
      if (step > slowed.step && loop.now() < slowed.until - 1) {
        blame('pace', `lease ${lease.id} was made in a pause of the carrier and is posted in it`);
      }
      const units = people.reduce((sum, person) => sum + person.segments, 0);
      const sender = ledger.senders.get(lease.senderId);
      if (sender === undefined) return;
      if (sender.pace !== null) checkPace(`the pace of ${sender.id}`, units, sender.pace);
      for (const { quota } of quotasOf(ledger, sender)) {
        const intervalMs = quotaIntervalMs(quota);
        if (intervalMs > 0) checkPace(`quota ${quota.id}`, units, 1_000 / intervalMs);
      }
    },
    underWay: (count) => {
      const { atOnceMax } = scenario;
      if (atOnceMax > 0 && count > atOnceMax) blame('at once', `${count} requests were under way at once`);
    },
    slowed: (delayMs) => {
      const until = loop.now() + delayMs;
      if (until <= slowed.until) return;
      slowed.step = loop.step();
      slowed.until = until;
    },
    failedWhileDown: (count, downForMs) => {
      if (!isCalm(weather) || !isPunctual) return;
      const { workers, slotsMax } = scenario;
      const most = FAILURES_MIN + workers * slotsMax * ROUNDS_UNTIL_KNOWN + downForMs / PROBE_DELAY_MS;
      if (count > most) blame('circuit', `${count} requests went to a carrier that was down`);
    },
  };
}

/** Units of a lease that the carrier has not certainly refused. */
function unitsUsed(ledger: MemoryLedger, leaseId: number): number {
  const lease = ledger.leases.get(leaseId);
  if (lease === undefined) return 0;
  const message = messageOf(ledger, lease.messageId);
  const used = lease.people.filter(({ recipient, attempt }) => {
    const known = message.entries.get(recipient)?.attempts.find((one) => one.attempt === attempt);
    return known === undefined || known.result === 'accepted' || known.result === 'unknown';
  });
  return used.reduce((sum, person) => sum + person.segments, 0);
}

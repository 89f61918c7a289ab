import { countFitting } from './count-fitting.ts';
import type { LeaseRefusal, QuotaClaim } from './dispatch-store.ts';
import { campaignOf, isInFlight, type MemoryLedger, messageOf, senderOf } from './memory-ledger.ts';
import { narrowTo, type Range } from './memory-range.ts';
import type { MemoryLease, MemoryMessage, MemoryQuota, MemorySender } from './memory-rows.ts';
import { MAY_BE_GIVEN_BACK_MS, RECLAIM_DELAY_MS, waitForPaceMs } from './pace.ts';
import { dayOfQuota, quotaIntervalMs, resetDelayMs, unitsLeft } from './quota.ts';

/** The campaign's budget, then the account's limit. */
export function claimMoney(ledger: MemoryLedger, message: MemoryMessage, range: Range): LeaseRefusal | null {
  const campaign = campaignOf(ledger, message.campaignId);
  const claims = [
    { cause: 'campaign_budget', limit: campaign.budgetMicroUsd, spent: campaign.spentMicroUsd },
    { cause: 'spend_limit', limit: ledger.spendLimitMicroUsd, spent: ledger.spentMicroUsd },
  ] as const;
  for (const { cause, limit, spent } of claims) {
    if (limit === null || range.people.length === 0) continue;
    const textMicroUsd = range.people[0]?.costMicroUsd ?? 0;
    const fitting = countFitting(range.people, limit - spent, (person) => person.costMicroUsd);
    narrowTo(range, fitting);
    if (fitting > 0) continue;
    // A suspension would halt what other lanes have paid for already, and that may be given back, too.
    return isUnderWay(ledger, (lease) => messageOf(ledger, lease.messageId).campaignId === campaign.id)
      ? { kind: 'wait', delayMs: RECLAIM_DELAY_MS }
      : { kind: 'suspend', cause, textMicroUsd };
  }
  return null;
}

/** Whether what the sender shares with others allows a text now. */
export function peekQuotas(
  ledger: MemoryLedger,
  sender: MemorySender,
  message: MemoryMessage,
  at: number,
): LeaseRefusal | null {
  const quotas = quotasOf(ledger, sender);
  const usedUp = quotas.filter(({ quota, use }) => unitsLeft(quota, use, at) === 0);
  if (usedUp.length > 0) return waitForUnits(ledger, message, usedUp, at);
  const aheadMs = Math.max(0, ...quotas.map(({ nextFreeAt }) => nextFreeAt - ledger.machineNow()));
  const waitMs = waitForPaceMs(aheadMs);
  return waitMs > 0 ? { kind: 'wait', delayMs: waitMs } : null;
}

/** Keeps as many as each quota of the sender still allows today. */
export function narrowToQuotas(
  ledger: MemoryLedger,
  sender: MemorySender,
  message: MemoryMessage,
  range: Range,
  at: number,
): LeaseRefusal | null {
  if (range.people.length === 0) return null;
  for (const quota of quotasOf(ledger, sender)) {
    const fitting = countFitting(
      range.people,
      unitsLeft(quota.quota, quota.use, at),
      (person) => person.segments,
    );
    if (fitting === 0) return waitForUnits(ledger, message, [quota], at);
    narrowTo(range, fitting);
  }
  return null;
}

/** Takes units of each quota of the sender. Returns the pace granted and until when to wait for it, in machine time. */
export function grantQuotas(
  ledger: MemoryLedger,
  sender: MemorySender,
  units: number,
  at: number,
): { readonly intervalMs: number; readonly startAt: number; readonly claims: readonly QuotaClaim[] } {
  const claims: QuotaClaim[] = [];
  const all = { intervalMs: 0, startAt: 0, claims };
  for (const one of quotasOf(ledger, sender)) {
    const { quota, use } = one;
    const day = dayOfQuota(quota, use, at);
    const used = use.day === day ? use.dayHundredths : 0;
    claims.push({ quotaId: quota.id, day, sharePercent: quota.sharePercent });
    one.use = { day, dayHundredths: used + units * quota.sharePercent };
    const intervalMs = quotaIntervalMs(quota);
    if (intervalMs === 0) continue;
    const startAt = Math.max(one.nextFreeAt, ledger.machineNow());
    one.nextFreeAt = startAt + units * intervalMs;
    all.intervalMs = Math.max(all.intervalMs, intervalMs);
    all.startAt = Math.max(all.startAt, startAt);
  }
  return all;
}

/** What a sender shares with others, in the order of ids. */
export function quotasOf(ledger: MemoryLedger, { quotaIds }: MemorySender): MemoryQuota[] {
  return quotaIds.toSorted().flatMap((id) => ledger.quotas.get(id) ?? []);
}

/** Gives units back that the carrier certainly did not take, as long as their day is the quota's newest. */
export function giveBackUnits(ledger: MemoryLedger, claims: readonly QuotaClaim[], units: number): void {
  for (const { quotaId, day, sharePercent } of claims) {
    const one = ledger.quotas.get(quotaId);
    if (one === undefined || one.use.day !== day) continue;
    one.use = { day, dayHundredths: Math.max(0, one.use.dayHundredths - units * sharePercent) };
  }
}

/** Until their days end; a moment only while something is under way that may be given back today. */
function waitForUnits(
  ledger: MemoryLedger,
  { expiresAt }: MemoryMessage,
  usedUp: readonly MemoryQuota[],
  at: number,
): LeaseRefusal {
  const ids = new Set(usedUp.map(({ quota }) => quota.id));
  const sharesThem = (lease: MemoryLease): boolean =>
    senderOf(ledger, messageOf(ledger, lease.messageId)).quotaIds.some((id) => ids.has(id));
  if (isUnderWay(ledger, sharesThem)) return { kind: 'wait', delayMs: RECLAIM_DELAY_MS };
  return {
    kind: 'wait',
    delayMs: resetDelayMs(
      usedUp.map(({ quota }) => quota),
      at,
      expiresAt,
    ),
  };
}

/** A lease whose reports came first stays open for a while, although nobody of it is under way. */
function isUnderWay(ledger: MemoryLedger, isMeant: (lease: MemoryLease) => boolean): boolean {
  const since = ledger.machineNow() - MAY_BE_GIVEN_BACK_MS;
  return [...ledger.leases.values()].some(
    (lease) => lease.isOpen && lease.openedAt > since && isMeant(lease) && isInFlight(ledger, lease),
  );
}

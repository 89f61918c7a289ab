import { type RawBuilder, sql } from 'kysely';
import { countFitting } from '../../domain/dispatch/count-fitting.ts';
import type { LaneRef, QuotaClaim } from '../../domain/dispatch/dispatch-store.ts';
import {
  MAY_BE_GIVEN_BACK_MS,
  RECLAIM_DELAY_MS,
  waitForPaceMs,
  widthOfPace,
} from '../../domain/dispatch/pace.ts';
import {
  dayOfQuota,
  paceWithin,
  type Quota,
  quotaIntervalMs,
  type QuotaUse,
  resetDelayMs,
  unitsLeft,
} from '../../domain/dispatch/quota.ts';
import { askedTogether } from '../asked-together.ts';
import type { Trx } from '../database.ts';
import { prepareQuery } from '../prepared-query.ts';
import type { Grant } from './grants.ts';
import {
  type Claim,
  type FirstClaim,
  type LeaseDraft,
  type LeaseRequest,
  narrowTo,
  passes,
} from './lease-draft.ts';
import { IN_FLIGHT_OF_LEASE } from './lease-people.ts';

/** A grant, and what was counted for it. */
export interface QuotaGrant extends Grant {
  readonly claims: readonly QuotaClaim[];
}

/** What is used of a quota, with the machine milliseconds until more of it is free. */
export interface StoredUse extends QuotaUse {
  readonly id: string;
  readonly delayMs: number;
}

const askForUses = prepareQuery((db, { campaignId }: LaneRef) =>
  usesOf(
    sql`(select x.quota_id from campaigns c join sender_quotas x on x.sender_id = c.sender_id where c.id = ${campaignId})`,
  ).compile(db),
);

/** Looks at what is left without a lock, so that a lane that has to wait costs next to nothing. */
export async function peekQuotas(trx: Trx, { lane }: LeaseRequest): ReturnType<FirstClaim> {
  const uses = await askForUses(trx, lane);
  return (draft) => {
    const { quotas, pace } = draft.context.sender;
    if (quotas.length === 0) return null;
    const usedUp = quotas.filter((quota) => unitsLeft(quota, useOf(uses, quota), draft.at) === 0);
    if (usedUp.length > 0) return waitForUnits(trx, draft, usedUp);
    const waitMs = waitForPaceMs(Math.max(...uses.map((use) => use.delayMs)));
    if (waitMs > 0) return { kind: 'wait', delayMs: waitMs };
    draft.width = Math.min(draft.width, widthOfPace(paceWithin(pace, quotas)));
    return null;
  };
}

/** Locks what is left of each quota of the sender, in the order of their ids for everybody, and keeps who fits. */
export async function claimQuotas(trx: Trx, draft: LeaseDraft): ReturnType<Claim> {
  const { quotas } = draft.context.sender;
  if (quotas.length === 0 || draft.people.length === 0) return passes;
  draft.quotaUses = await lockUses(trx, quotas);
  return async () => {
    for (const quota of quotas) {
      const left = unitsLeft(quota, useOf(draft.quotaUses, quota), draft.at);
      const fitting = countFitting(draft.people, left, (person) => unitsOf(draft, person.segments));
      if (fitting === 0) return waitForUnits(trx, draft, [quota]);
      narrowTo(draft, fitting);
    }
    return null;
  };
}

/** Takes the lease's units of the quotas that its claim has locked. */
export function takeQuotas(
  trx: Trx,
  { context, quotaUses, at }: LeaseDraft,
  units: number,
): Promise<QuotaGrant> {
  return grantUnits(trx, context.sender.quotas, quotaUses, units, at);
}

/** The same for a single text, which waits for no next day: null when a daily cap does not allow it. */
export async function grantQuotas(
  trx: Trx,
  quotas: readonly Quota[],
  units: number,
  at: number,
): Promise<QuotaGrant | null> {
  if (quotas.length === 0) return { intervalMs: 0, delayMs: 0, claims: [] };
  const uses = await lockUses(trx, quotas);
  if (quotas.some((quota) => unitsLeft(quota, useOf(uses, quota), at) < units)) return null;
  return grantUnits(trx, quotas, uses, units, at);
}

/** Takes units of the rates of quotas and of none of their days. Resolves with the machine milliseconds until the first. */
export async function grantQuotaRates(trx: Trx, quotas: readonly Quota[], units: number): Promise<number> {
  let delayMs = 0;
  // One after the other, in the order in which everybody locks them.
  for (const quota of quotas) {
    if (quota.rateUnits === null) continue;
    const claimedMs = units * quotaIntervalMs(quota);
    const { rows } = await sql<{ delayMs: number }>`
      update quota_uses set
        next_free_at = greatest(next_free_at, clock_timestamp()) + ${claimedMs} * interval '1 millisecond'
      where quota_id = ${quota.id}
      returning (extract(epoch from next_free_at - clock_timestamp()) * 1000)::float8 - ${claimedMs} as "delayMs"`.execute(
      trx,
    );
    delayMs = Math.max(delayMs, rows[0]?.delayMs ?? 0);
  }
  return delayMs;
}

/**
 * Gives units back that were counted and certainly not taken by the carrier, as long as their day is the quota's newest:
 * what was not used of a day that is over helps nobody any more.
 */
export async function giveBackUnits(trx: Trx, claims: readonly QuotaClaim[], units: number): Promise<void> {
  if (units === 0) return;
  // One after the other, in the order in which they were claimed and leases lock them.
  for (const { quotaId, day, sharePercent } of claims) {
    await sql`
      update quota_uses set day_hundredths = greatest(0, day_hundredths - ${units * sharePercent}::bigint)
      where quota_id = ${quotaId} and day = ${day}`.execute(trx);
  }
}

async function grantUnits(
  trx: Trx,
  quotas: readonly Quota[],
  uses: readonly StoredUse[],
  units: number,
  at: number,
): Promise<QuotaGrant> {
  const claims = quotas.map((quota) => ({
    quotaId: quota.id,
    day: dayOfQuota(quota, useOf(uses, quota), at),
    sharePercent: quota.sharePercent,
  }));
  const delays = await askedTogether(
    quotas.map((quota) => {
      const day = dayOfQuota(quota, useOf(uses, quota), at);
      return takeUnits(trx, quota, { day, units, claimedMs: units * quotaIntervalMs(quota) });
    }),
  );
  return {
    intervalMs: Math.max(0, ...quotas.map((quota) => quotaIntervalMs(quota))),
    delayMs: Math.max(0, ...delays),
    claims,
  };
}

/** Takes units of a quota. Resolves with the machine milliseconds until the first may go out. */
async function takeUnits(
  trx: Trx,
  quota: Quota,
  take: { readonly day: string; readonly units: number; readonly claimedMs: number },
): Promise<number> {
  const { rows } = await sql<{ delayMs: number }>`
    update quota_uses set
      day_hundredths = case when day = ${take.day} then day_hundredths else 0 end
        + ${take.units * quota.sharePercent}::bigint,
      day = ${take.day},
      next_free_at = greatest(next_free_at, clock_timestamp()) + ${take.claimedMs} * interval '1 millisecond'
    where quota_id = ${quota.id}
    returning (extract(epoch from next_free_at - clock_timestamp()) * 1000)::float8 - ${take.claimedMs} as "delayMs"`.execute(
    trx,
  );
  return quota.rateUnits === null ? 0 : Math.max(0, rows[0]?.delayMs ?? 0);
}

/** What is used of quotas, whose ids are a subquery, in the order in which everybody locks them. */
function usesOf(ids: RawBuilder<unknown>) {
  return sql<StoredUse>`
    select quota_id as id, day, day_hundredths as "dayHundredths",
      greatest(0, extract(epoch from next_free_at - clock_timestamp()) * 1000)::float8 as "delayMs"
    from quota_uses where quota_id in ${ids}
    order by quota_id`;
}

async function lockUses(trx: Trx, quotas: readonly Quota[]): Promise<StoredUse[]> {
  const ids = quotas.map((quota) => quota.id);
  const { rows } = await sql<StoredUse>`
    ${usesOf(sql`(select unnest(${ids}::text[]))`)} for update`.execute(trx);
  return rows;
}

function useOf(uses: readonly StoredUse[], quota: Quota): StoredUse {
  const use = uses.find((one) => one.id === quota.id);
  if (use === undefined) throw new Error('A quota has no row of its use.');
  return use;
}

function unitsOf(draft: LeaseDraft, segments: number): number {
  return draft.context.kind === 'mms' ? 1 : segments;
}

/**
 * Until the last of their days ends, or until everybody has expired; a moment only while something is under way that
 * may be given back today.
 */
async function waitForUnits(trx: Trx, { at, context }: LeaseDraft, usedUp: readonly Quota[]) {
  const underWay = await sql`
    select from sender_quotas x join leases l on l.sender_id = x.sender_id join waves w on w.id = l.wave_id
    where x.quota_id = any(${usedUp.map((quota) => quota.id)}::text[]) and l.closed_at is null
      and l.opened_at > clock_timestamp() - ${MAY_BE_GIVEN_BACK_MS} * interval '1 millisecond'
      and ${IN_FLIGHT_OF_LEASE} > 0
    limit 1`.execute(trx);
  if (underWay.rows.length > 0) return { kind: 'wait', delayMs: RECLAIM_DELAY_MS } as const;
  return { kind: 'wait', delayMs: resetDelayMs(usedUp, at, context.expiresAt) } as const;
}

import { sql } from 'kysely';
import type { CrashHook } from '../../domain/dispatch/crash-points.ts';
import type { AttemptResult, Lease } from '../../domain/dispatch/dispatch-store.ts';
import { countersOfResult, mayBeTaken, refundOf } from '../../domain/dispatch/result-counters.ts';
import { askedTogether } from '../asked-together.ts';
import { type Db, type Trx, withLedger } from '../database.ts';
import { resolveUnknowns } from '../reconcile/resolve-unknowns.ts';
import { giveBackUnits } from './claim-quotas.ts';
import { appendLater } from './later-waves.ts';
import { IN_FLIGHT_OF_LEASE } from './lease-people.ts';
import { leaveFormerStates, lockRepeats, repeatsOfLease, type RepeatsOf, roundCounter } from './repeats.ts';
import { count, type Deltas, writeDeltas } from './rollup.ts';

/**
 * Writes the results of a lease, each once and never again. Whoever was certainly not accepted goes to a
 * later wave that is due at `retryAt` (campaign time), and what was claimed for him is given back.
 */
export async function recordAttempts(
  deps: { readonly db: Db; readonly crash: CrashHook },
  lease: Lease,
  results: readonly AttemptResult[],
  retryAt: number,
): Promise<void> {
  await withLedger(deps.db, lease.accountId, async (trx, closing) => {
    const repeats = await lockedRepeats(trx, lease, results);
    const written = await insertAttempts(trx, lease, results);
    const fresh = results.filter((result) => written.has(result.recipient));
    const late = results.filter((result) => !written.has(result.recipient));
    const deltas: Deltas = new Map();
    if (repeats !== null) await leaveFormerStates(trx, lease, fresh);
    for (const result of fresh) {
      for (const [counter, delta] of countersOfResult(result, repeats !== null))
        count(deltas, counter, delta);
      if (repeats !== null && repeats.round !== null && result.result !== 'not_accepted') {
        count(deltas, roundCounter(repeats.round, result.result));
      }
    }
    await resolveLate(trx, lease, late, deltas);
    await giveBack(trx, lease, fresh);
    await defer(
      trx,
      lease,
      fresh.filter((result) => result.result === 'not_accepted'),
      retryAt,
      repeats,
    );
    deps.crash('record.before_commit');
    await closing(() =>
      askedTogether([
        writeDeltas(trx, lease.accountId, lease.messageKey, deltas),
        closeIfComplete(trx, lease, fresh.length, late.length),
      ]),
    );
  });
}

/** Only who had an attempt before can be in a wave that repeats. */
async function lockedRepeats(
  trx: Trx,
  lease: Lease,
  results: readonly AttemptResult[],
): Promise<RepeatsOf | null> {
  if (results.every(({ attempt }) => attempt === 1)) return null;
  return (await lockRepeats(trx, lease.messageKey)) ? repeatsOfLease(trx, lease) : null;
}

async function insertAttempts(
  trx: Trx,
  lease: Lease,
  results: readonly AttemptResult[],
): Promise<Set<number>> {
  const inserted = await sql<{ recipient: number }>`
    insert into attempts (month, account_id, message_key, recipient, attempt, lease_id, request, result, cause,
                          carrier_uuid, segments, cost_micro_usd)
    select ${lease.month}, ${lease.accountId}, ${lease.messageKey}, x.recipient, x.attempt, ${lease.id},
      x.request, x.result, x.cause, x.uuid, x.segments, x.cost
    from unnest(
      ${results.map((one) => one.recipient)}::int[], ${results.map((one) => one.attempt)}::smallint[],
      ${results.map((one) => one.request)}::smallint[], ${results.map((one) => one.result)}::text[],
      ${results.map((one) => one.cause)}::text[], ${results.map((one) => one.carrierUuid)}::text[],
      ${results.map((one) => one.segments)}::smallint[], ${results.map((one) => one.costMicroUsd)}::bigint[]
    ) as x(recipient, attempt, request, result, cause, uuid, segments, cost)
    order by x.recipient
    on conflict do nothing
    returning recipient`.execute(trx);
  return new Set(inserted.rows.map((row) => row.recipient));
}

/**
 * Somebody else was faster: a status report, which proves acceptance anyway, or the fence, which knew
 * nothing. In the latter case an acceptance that this worker saw resolves the unknown.
 */
async function resolveLate(
  trx: Trx,
  lease: Lease,
  late: readonly AttemptResult[],
  deltas: Deltas,
): Promise<void> {
  const accepted = late.filter((result) => result.result === 'accepted');
  if (accepted.length === 0) return;
  const resolved = await resolveUnknowns(
    trx,
    lease,
    accepted.map(({ recipient, attempt, carrierUuid }) => ({ recipient, attempt, uuid: carrierUuid })),
  );
  count(deltas, 'accepted', resolved);
  count(deltas, 'resolved', resolved);
}

/** What was claimed for whom the carrier certainly did not take, in the order in which leases lock these rows. */
async function giveBack(trx: Trx, lease: Lease, fresh: readonly AttemptResult[]): Promise<void> {
  await giveBackMoney(trx, lease, fresh);
  const untaken = fresh.filter((result) => !mayBeTaken(result));
  const units = untaken.reduce((sum, { segments }) => sum + (lease.kind === 'mms' ? 1 : segments), 0);
  await giveBackUnits(trx, lease.quotaClaims, units);
}

async function giveBackMoney(trx: Trx, lease: Lease, fresh: readonly AttemptResult[]): Promise<void> {
  const refund = fresh.reduce((sum, result) => sum + refundOf(result), 0);
  if (refund === 0) return;
  // Two statements: a single one would lock the rows in any order.
  await sql`
    update campaign_spends s set spent_micro_usd = greatest(0, s.spent_micro_usd - ${refund})
    from leases l join campaigns c on c.key = l.campaign_key
    where l.month = ${lease.month} and l.id = ${lease.id} and s.campaign_id = c.id`.execute(trx);
  await sql`
    update spend_months s set spent_micro_usd = greatest(0, s.spent_micro_usd - ${refund})
    from leases l
    where l.month = ${lease.month} and l.id = ${lease.id}
      and s.account_id = l.account_id and s.month = l.spend_month`.execute(trx);
}

/** Whoever was certainly not accepted is tried again in a later wave, of the same kind as the one he was leased in. */
async function defer(
  trx: Trx,
  lease: Lease,
  deferred: readonly AttemptResult[],
  retryAt: number,
  repeats: RepeatsOf | null,
): Promise<void> {
  if (deferred.length === 0) return;
  const own = await sql<{ campaignKey: number; cohort: number }>`
    select w.campaign_key as "campaignKey", w.cohort
    from leases l join waves w on w.id = l.wave_id where l.month = ${lease.month} and l.id = ${lease.id}`.execute(
    trx,
  );
  const wave = own.rows[0];
  if (wave === undefined) throw new Error('The wave of a lease is missing.');
  const members = deferred.map(({ recipient, attempt }) => ({ recipient, attempt: attempt + 1 }));
  const { accountId, month, messageKey } = lease;
  await appendLater(trx, { accountId, month, messageKey, ...wave }, members, retryAt, repeats);
}

/**
 * Only rows that were written count: results come twice where the answer to a write was lost, and a lease that is
 * closed with somebody still open would forget him. Where a status report was faster the lease's people are counted.
 */
async function closeIfComplete(trx: Trx, lease: Lease, written: number, late: number): Promise<void> {
  await sql`
    update leases l set recorded = l.recorded + ${written},
      closed_at = case
        when l.closed_at is not null then l.closed_at
        when l.recorded + ${written} >= l.width then clock_timestamp()
        when ${late > 0} and ${IN_FLIGHT_OF_LEASE} <= 0 then clock_timestamp()
      end
    from waves w
    where l.month = ${lease.month} and l.id = ${lease.id} and w.id = l.wave_id`.execute(trx);
}

import { sql } from 'kysely';
import type { CrashHook } from '../../domain/dispatch/crash-points.ts';
import type { AttemptResult, Lease } from '../../domain/dispatch/dispatch-store.ts';
import {
  countersOfResult,
  mayBeTaken,
  refundOf,
  roundCounter,
} from '../../domain/dispatch/result-counters.ts';
import { askedTogether } from '../asked-together.ts';
import { type Db, type Trx, withLedger } from '../database.ts';
import { prepareQuery } from '../prepared-query.ts';
import { resolveUnknowns } from '../reconcile/resolve-unknowns.ts';
import { giveBackUnits } from './claim-quotas.ts';
import { appendLater } from './later-waves.ts';
import { IN_FLIGHT_OF_LEASE } from './lease-people.ts';
import { isAcceptedAtFirst, recordAccepted } from './record-accepted.ts';
import { leaveFormerStates, lockRepeats, repeatsOfLease, type RepeatsOf } from './repeats.ts';
import { count, type Deltas, writeDeltas } from './rollup.ts';

/** What recording needs besides the database. */
export interface RecordDeps {
  readonly db: Db;
  readonly crash: CrashHook;
  /** Leases some of whose results were overtaken by reports, so that their rows were not written here. */
  readonly overtaken: WeakSet<Lease>;
}

/** What became of attempts that one lease granted. */
export interface LeaseResults {
  readonly lease: Lease;
  readonly results: readonly AttemptResult[];
  /** Campaign time from which whoever was certainly not accepted may be tried again. */
  readonly retryAt: number;
}

/**
 * Writes results of leases of one message, each once and never again. Whoever was certainly not accepted goes to a
 * later wave, and what was claimed for him is given back.
 */
export async function recordAttempts(deps: RecordDeps, records: readonly LeaseResults[]): Promise<void> {
  const [one] = records;
  if (one === undefined) return;
  if (records.every((record) => isOrdinary(deps, record)) && (await recordAccepted(deps, records))) return;
  const { accountId, messageKey, month } = one.lease;
  await withLedger(deps.db, accountId, async (trx, closing) => {
    const repeats = await lockedRepeats(trx, records);
    await lockLeases(trx, month, records);
    const isFresh = await insertAttempts(trx, one.lease, records);
    const deltas: Deltas = new Map();
    const written: Written[] = [];
    for (const record of records) {
      const { lease, results } = record;
      const own = repeats.get(lease.id) ?? null;
      const fresh = results.filter((result) => isFresh(lease, result));
      const late = results.filter((result) => !isFresh(lease, result));
      await settle(trx, { ...record, results: fresh }, own, deltas);
      await resolveLate(trx, lease, late, deltas);
      if (late.length > 0) deps.overtaken.add(lease);
      written.push({ leaseId: lease.id, fresh: fresh.length, isOvertaken: deps.overtaken.has(lease) });
    }
    deps.crash('record.before_commit');
    await closing(() =>
      askedTogether([
        writeDeltas(trx, accountId, messageKey, deltas),
        ...written.map((lease) => closeIfComplete(trx, { month, ...lease })),
      ]),
    );
  });
}

/** Nobody else is known to have written any of the lease, and all of its people were accepted at the first attempt. */
function isOrdinary({ overtaken }: RecordDeps, { lease, results }: LeaseResults): boolean {
  return !overtaken.has(lease) && results.every(isAcceptedAtFirst);
}

/** How many results of a lease were written, and whether some of it had been before, now or earlier. */
interface Written {
  readonly leaseId: number;
  readonly fresh: number;
  readonly isOvertaken: boolean;
}

/** What follows from results that are written for the first time. */
async function settle(
  trx: Trx,
  { lease, results, retryAt }: LeaseResults,
  repeats: RepeatsOf | null,
  deltas: Deltas,
): Promise<void> {
  if (repeats !== null) await leaveFormerStates(trx, lease, results);
  for (const result of results) {
    for (const [counter, delta] of countersOfResult(result, repeats !== null)) count(deltas, counter, delta);
    if (repeats !== null && repeats.round !== null && result.result !== 'not_accepted') {
      count(deltas, roundCounter(repeats.round, result.result));
    }
  }
  const deferred = results.filter((result) => result.result === 'not_accepted');
  // Waves come before money, as in leases.
  await defer(trx, lease, deferred, retryAt, repeats);
  await giveBack(trx, lease, results);
}

/** Before their attempts, and in the order of their ids, as whoever closes the leases of a lane that died locks them. */
async function lockLeases(trx: Trx, month: string, records: readonly LeaseResults[]): Promise<void> {
  await sql`
    select from leases where month = ${month} and id = any(${records.map(({ lease }) => lease.id)}::bigint[])
    order by id for no key update`.execute(trx);
}

/** The leases of waves that repeat. Only who had an attempt before can be in one. */
async function lockedRepeats(
  trx: Trx,
  records: readonly LeaseResults[],
): Promise<ReadonlyMap<number, RepeatsOf>> {
  const found = new Map<number, RepeatsOf>();
  const again = records.filter(({ results }) => results.some(({ attempt }) => attempt > 1));
  const [first] = again;
  if (first === undefined || !(await lockRepeats(trx, first.lease.messageKey))) return found;
  for (const { lease } of again) {
    const repeats = await repeatsOfLease(trx, lease);
    if (repeats !== null) found.set(lease.id, repeats);
  }
  return found;
}

/** The columns of the results, side by side. */
interface NewAttempts {
  readonly month: string;
  readonly accountId: string;
  readonly messageKey: number;
  readonly leaseIds: readonly number[];
  readonly recipients: readonly number[];
  readonly attempts: readonly number[];
  readonly requests: readonly number[];
  readonly results: readonly string[];
  readonly causes: readonly (string | null)[];
  readonly uuids: readonly (string | null)[];
  readonly segments: readonly number[];
  readonly costs: readonly number[];
}

const askToInsert = prepareQuery((db, rows: NewAttempts) =>
  sql<{ leaseId: number; recipient: number; attempt: number }>`
    insert into attempts (month, account_id, message_key, recipient, attempt, lease_id, request, result, cause,
                          carrier_uuid, segments, cost_micro_usd)
    select ${rows.month}, ${rows.accountId}, ${rows.messageKey}, x.recipient, x.attempt, x.lease_id,
      x.request, x.result, x.cause, x.uuid, x.segments, x.cost
    from unnest(
      ${rows.leaseIds}::bigint[], ${rows.recipients}::int[], ${rows.attempts}::smallint[],
      ${rows.requests}::smallint[], ${rows.results}::text[], ${rows.causes}::text[], ${rows.uuids}::text[],
      ${rows.segments}::smallint[], ${rows.costs}::bigint[]
    ) as x(lease_id, recipient, attempt, request, result, cause, uuid, segments, cost)
    order by x.recipient
    on conflict do nothing
    returning lease_id as "leaseId", recipient, attempt`.compile(db),
);

/** Writes what is not written yet, and resolves with which of the results that was. */
async function insertAttempts(
  trx: Trx,
  { month, accountId, messageKey }: Lease,
  records: readonly LeaseResults[],
): Promise<(lease: Lease, result: AttemptResult) => boolean> {
  const all = records.flatMap(({ lease, results }) => results.map((result) => ({ lease, ...result })));
  const rows = await askToInsert(trx, {
    month,
    accountId,
    messageKey,
    leaseIds: all.map((one) => one.lease.id),
    recipients: all.map((one) => one.recipient),
    attempts: all.map((one) => one.attempt),
    requests: all.map((one) => one.request),
    results: all.map((one) => one.result),
    causes: all.map((one) => one.cause),
    uuids: all.map((one) => one.carrierUuid),
    segments: all.map((one) => one.segments),
    costs: all.map((one) => one.costMicroUsd),
  });
  const written = new Set(rows.map((row) => `${row.leaseId} ${row.recipient} ${row.attempt}`));
  return (of, { recipient, attempt }) => written.has(`${of.id} ${recipient} ${attempt}`);
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
 * Each lease is a statement of its own, so that it is found by its whole key whatever the planner knows.
 */
const closeIfComplete = prepareQuery((db, lease: Written & { readonly month: string }) =>
  sql`
    update leases l set recorded = l.recorded + ${lease.fresh}::int,
      closed_at = case
        when l.closed_at is not null then l.closed_at
        when l.recorded + ${lease.fresh}::int >= l.width then clock_timestamp()
        when ${lease.isOvertaken}::bool and ${IN_FLIGHT_OF_LEASE} <= 0 then clock_timestamp()
      end
    from waves w
    where l.month = ${lease.month} and l.id = ${lease.leaseId} and w.id = l.wave_id`.compile(db),
);

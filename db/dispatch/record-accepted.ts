import { sql } from 'kysely';
import type { CrashHook } from '../../domain/dispatch/crash-points.ts';
import type { AttemptResult, Lease } from '../../domain/dispatch/dispatch-store.ts';
import { countersOfResult } from '../../domain/dispatch/result-counters.ts';
import { numbersLiteral, textsLiteral } from '../array-literal.ts';
import { askedTogether } from '../asked-together.ts';
import { type Db, type Trx, withLedger } from '../database.ts';
import { prepareQuery } from '../prepared-query.ts';
import type { LeaseResults } from './record-attempts.ts';
import { count, type Deltas, writeDeltas } from './rollup.ts';

/** Whether somebody was accepted at his first attempt, as nearly everybody is: nothing is given back, nobody deferred. */
export function isAcceptedAtFirst({ attempt, result }: AttemptResult): boolean {
  return attempt === 1 && result === 'accepted';
}

/**
 * Writes results of leases of one message whose people were all accepted at the first attempt, all in one round trip.
 * Resolves with false, and has written nothing, where somebody else has written any of it: a status report that was
 * faster, a fence, or this worker itself, whose answer was lost. To see that is PostgreSQL's own unique key, which costs
 * half of what ON CONFLICT does.
 */
export async function recordAccepted(
  { db, crash }: { readonly db: Db; readonly crash: CrashHook },
  records: readonly LeaseResults[],
): Promise<boolean> {
  const [one] = records;
  if (one === undefined) return true;
  const { accountId, messageKey, month } = one.lease;
  const shares = records.flatMap(sharesOf);
  const deltas: Deltas = new Map();
  for (const { of, recipients } of shares) {
    for (const [counter, delta] of countersOfResult(of)) count(deltas, counter, delta * recipients.length);
  }
  try {
    await withLedger(db, accountId, async (trx, closing) => {
      crash('record.before_commit');
      await closing(() =>
        askedTogether([
          // First and in the order of their ids, as whoever closes the leases of a lane that died locks them.
          ...records
            .toSorted((first, second) => first.lease.id - second.lease.id)
            .map(({ lease, results }) =>
              countRecorded(trx, { month, leaseId: lease.id, recorded: results.length }),
            ),
          insertAccepted(trx, one.lease, shares),
          writeDeltas(trx, accountId, messageKey, deltas),
        ]),
      );
    });
    return true;
  } catch (error) {
    if (isDuplicate(error)) return false;
    throw error;
  }
}

function isDuplicate(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === '23505';
}

/** What is the same for all results; what differs, side by side as arrays of PostgreSQL. */
interface AcceptedRows {
  readonly month: string;
  readonly accountId: string;
  readonly messageKey: number;
  readonly leaseIds: string;
  readonly recipients: string;
  readonly requests: string;
  readonly uuids: string;
  readonly segments: string;
  readonly costs: string;
}

/** Rows for all whom the shares name, in the order of recipients, as everybody writes them: so nobody waits for one another. */
function insertAccepted(trx: Trx, lease: Lease, shares: readonly Share[]): Promise<unknown> {
  const isOneEach = shares.every(({ recipients }) => recipients.length === 1);
  const inOrder = shares.toSorted((one, other) => (one.recipients[0] ?? 0) - (other.recipients[0] ?? 0));
  return (isOneEach ? insertOneEach : insertShared)(trx, {
    month: lease.month,
    accountId: lease.accountId,
    messageKey: lease.messageKey,
    leaseIds: numbersLiteral(inOrder.map(({ leaseId }) => leaseId)),
    recipients: isOneEach
      ? numbersLiteral(inOrder.flatMap(({ recipients }) => recipients))
      : textsLiteral(inOrder.map(({ recipients }) => numbersLiteral(recipients))),
    requests: numbersLiteral(inOrder.map(({ of }) => of.request)),
    uuids: textsLiteral(inOrder.map(({ of }) => of.carrierUuid)),
    segments: numbersLiteral(inOrder.map(({ of }) => of.segments)),
    costs: numbersLiteral(inOrder.map(({ of }) => of.costMicroUsd)),
  });
}

const insertOneEach = prepareQuery((db, rows: AcceptedRows) =>
  sql`
    insert into attempts (month, account_id, message_key, recipient, attempt, lease_id, request, result, carrier_uuid,
                          segments, cost_micro_usd)
    select ${rows.month}, ${rows.accountId}, ${rows.messageKey}, x.recipient, 1, x.lease_id, x.request, 'accepted',
      x.uuid, x.segments, x.cost
    from unnest(
      ${rows.leaseIds}::bigint[], ${rows.recipients}::int[], ${rows.requests}::smallint[], ${rows.uuids}::text[],
      ${rows.segments}::smallint[], ${rows.costs}::bigint[]
    ) as x(lease_id, recipient, request, uuid, segments, cost)`.compile(db),
);

const insertShared = prepareQuery((db, rows: AcceptedRows) =>
  sql`
    insert into attempts (month, account_id, message_key, recipient, attempt, lease_id, request, result, carrier_uuid,
                          segments, cost_micro_usd)
    select ${rows.month}, ${rows.accountId}, ${rows.messageKey}, r.recipient, 1, x.lease_id, x.request, 'accepted',
      x.uuid, x.segments, x.cost
    from unnest(
      ${rows.leaseIds}::bigint[], ${rows.recipients}::text[], ${rows.requests}::smallint[], ${rows.uuids}::text[],
      ${rows.segments}::smallint[], ${rows.costs}::bigint[]
    ) as x(lease_id, recipients, request, uuid, segments, cost)
    cross join lateral unnest(x.recipients::int[]) as r(recipient)
    order by r.recipient`.compile(db),
);

/** Recipients of a lease whose results differ in nothing but whom they are about. */
interface Share {
  readonly leaseId: number;
  readonly of: AttemptResult;
  readonly recipients: number[];
}

/** In bulk form as many as the countries have costs, which are few; else each recipient has a request of his own. */
function sharesOf({ lease, results }: LeaseResults): readonly Share[] {
  const leaseId = lease.id;
  if (!lease.isBulk) return results.map((of) => ({ leaseId, of, recipients: [of.recipient] }));
  const shares: Share[] = [];
  for (const result of results) {
    const known = shares.find(({ of }) => isAlike(of, result));
    if (known === undefined) shares.push({ leaseId, of: result, recipients: [result.recipient] });
    else known.recipients.push(result.recipient);
  }
  return shares;
}

function isAlike(one: AttemptResult, other: AttemptResult): boolean {
  return (
    one.costMicroUsd === other.costMicroUsd &&
    one.segments === other.segments &&
    one.request === other.request &&
    one.carrierUuid === other.carrierUuid
  );
}

/** Each lease is a statement of its own, so that it is found by its whole key whatever the planner knows. */
const countRecorded = prepareQuery(
  (db, lease: { readonly month: string; readonly leaseId: number; readonly recorded: number }) =>
    sql`
      update leases set recorded = recorded + ${lease.recorded}::int,
        closed_at = coalesce(closed_at, case when recorded + ${lease.recorded}::int >= width then clock_timestamp() end)
      where month = ${lease.month} and id = ${lease.leaseId}`.compile(db),
);

import { sql } from 'kysely';
import type { CrashHook } from '../../domain/dispatch/crash-points.ts';
import type { AttemptResult } from '../../domain/dispatch/dispatch-store.ts';
import { countersOfResult } from '../../domain/dispatch/result-counters.ts';
import { numbersLiteral, textsLiteral } from '../array-literal.ts';
import { askedTogether } from '../asked-together.ts';
import { type Db, withLedger } from '../database.ts';
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
  const deltas: Deltas = new Map();
  for (const result of records.flatMap(({ results }) => results)) {
    for (const [counter, delta] of countersOfResult(result, false)) count(deltas, counter, delta);
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
          insertAccepted(trx, columnsOf(records)),
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

/** The columns of the results; what differs between them, side by side. */
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

const insertAccepted = prepareQuery((db, rows: AcceptedRows) =>
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

/** In the order of recipients, as everybody writes them, so that nobody waits for one another. */
function columnsOf(records: readonly LeaseResults[]): AcceptedRows {
  const [{ lease }] = records as [LeaseResults];
  const rows = records
    .flatMap((record) => record.results.map((result) => ({ leaseId: record.lease.id, ...result })))
    .toSorted((one, other) => one.recipient - other.recipient);
  return {
    month: lease.month,
    accountId: lease.accountId,
    messageKey: lease.messageKey,
    leaseIds: numbersLiteral(rows.map((row) => row.leaseId)),
    recipients: numbersLiteral(rows.map((row) => row.recipient)),
    requests: numbersLiteral(rows.map((row) => row.request)),
    uuids: textsLiteral(rows.map((row) => row.carrierUuid)),
    segments: numbersLiteral(rows.map((row) => row.segments)),
    costs: numbersLiteral(rows.map((row) => row.costMicroUsd)),
  };
}

/** Each lease is a statement of its own, so that it is found by its whole key whatever the planner knows. */
const countRecorded = prepareQuery(
  (db, lease: { readonly month: string; readonly leaseId: number; readonly recorded: number }) =>
    sql`
      update leases set recorded = recorded + ${lease.recorded}::int,
        closed_at = coalesce(closed_at, case when recorded + ${lease.recorded}::int >= width then clock_timestamp() end)
      where month = ${lease.month} and id = ${lease.leaseId}`.compile(db),
);

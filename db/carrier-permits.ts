import { sql } from 'kysely';
import type { Db } from './database.ts';

/** Sets the locks on permits apart from other advisory locks. */
const PERMIT_LOCKS = 20;

/**
 * Renews a worker's permits for requests under way at a carrier account, for so long. Together workers have no more
 * than the account allows; each is given an even share of it, `wanted` at most, as soon as the others have come down
 * to theirs, and no fewer than it has in use. Infinite where the account sets no limit.
 */
export async function claimPermits(
  db: Db,
  worker: {
    readonly id: string;
    readonly carrierAccountId: string;
    readonly wanted: number;
    readonly inUse: number;
    readonly ttlMs: number;
  },
): Promise<number> {
  const { id, carrierAccountId, wanted, inUse, ttlMs } = worker;
  return db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtextextended(${carrierAccountId}, ${PERMIT_LOCKS}))`.execute(
      trx,
    );
    await sql`
      delete from carrier_permits
      where carrier_account_id = ${carrierAccountId} and expires_at <= clock_timestamp()`.execute(trx);
    const { rows } = await sql<{ atOnceMax: number; others: number; taken: number; own: number }>`
      select c.requests_at_once_max as "atOnceMax", count(p.worker_id) filter (where p.worker_id <> ${id})::int as others,
        coalesce(sum(p.permits) filter (where p.worker_id <> ${id}), 0)::int as taken,
        coalesce(sum(p.permits) filter (where p.worker_id = ${id}), 0)::int as own
      from carrier_accounts c left join carrier_permits p on p.carrier_account_id = c.id
      where c.id = ${carrierAccountId} group by 1`.execute(trx);
    const seen = rows[0];
    if (seen === undefined || seen.atOnceMax === 0) return Number.POSITIVE_INFINITY;
    const { atOnceMax, others, taken, own } = seen;
    const share = Math.max(1, Math.floor(atOnceMax / (others + 1)));
    const permits = Math.min(
      Math.max(0, atOnceMax - taken),
      Math.max(Math.min(inUse, own), Math.min(wanted, share)),
    );
    await sql`
      insert into carrier_permits (carrier_account_id, worker_id, permits, expires_at)
      values (${carrierAccountId}, ${id}, ${permits}, clock_timestamp() + ${ttlMs} * interval '1 millisecond')
      on conflict (carrier_account_id, worker_id)
        do update set permits = excluded.permits, expires_at = excluded.expires_at`.execute(trx);
    return permits;
  });
}

/** Gives a worker's permits back; nothing of it is under way any more. */
export async function releasePermits(
  db: Db,
  worker: { readonly id: string; readonly carrierAccountId: string },
): Promise<void> {
  await db
    .deleteFrom('carrier_permits')
    .where('carrier_account_id', '=', worker.carrierAccountId)
    .where('worker_id', '=', worker.id)
    .execute();
}

import { sql } from 'kysely';
import { type PermitStore, sharePermits } from '../domain/dispatch/permits.ts';
import type { Db } from './database.ts';

/** Sets the locks on permits apart from other advisory locks. */
const PERMIT_LOCKS = 20;

/** A worker's permits as rows. Workers claim those of a carrier account one after the other. */
export function createPostgresPermits(db: Db, workerId: string): PermitStore {
  return {
    claim: (carrierAccountId, claim) =>
      db.transaction().execute(async (trx) => {
        await sql`select pg_advisory_xact_lock(hashtextextended(${carrierAccountId}, ${PERMIT_LOCKS}))`.execute(
          trx,
        );
        await sql`
          delete from carrier_permits
          where carrier_account_id = ${carrierAccountId} and expires_at <= clock_timestamp()`.execute(trx);
        const { rows } = await sql<{ atOnceMax: number; others: number; taken: number; own: number }>`
          select c.requests_at_once_max as "atOnceMax",
            count(p.worker_id) filter (where p.worker_id <> ${workerId})::int as others,
            coalesce(sum(p.permits) filter (where p.worker_id <> ${workerId}), 0)::int as taken,
            coalesce(sum(p.permits) filter (where p.worker_id = ${workerId}), 0)::int as own
          from carrier_accounts c left join carrier_permits p on p.carrier_account_id = c.id
          where c.id = ${carrierAccountId} group by 1`.execute(trx);
        const [seen] = rows;
        if (seen === undefined || seen.atOnceMax === 0) return Number.POSITIVE_INFINITY;
        const permits = sharePermits(claim, seen);
        await sql`
          insert into carrier_permits (carrier_account_id, worker_id, permits, expires_at)
          values (${carrierAccountId}, ${workerId}, ${permits},
            clock_timestamp() + ${claim.ttlMs} * interval '1 millisecond')
          on conflict (carrier_account_id, worker_id)
            do update set permits = excluded.permits, expires_at = excluded.expires_at`.execute(trx);
        return permits;
      }),
    release: async (carrierAccountId) => {
      await db
        .deleteFrom('carrier_permits')
        .where('carrier_account_id', '=', carrierAccountId)
        .where('worker_id', '=', workerId)
        .execute();
    },
  };
}

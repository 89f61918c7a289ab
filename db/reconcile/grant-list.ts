import { sql } from 'kysely';
import type { Db } from '../database.ts';

const MINUTE_MS = 60_000;
/** The carrier counts in a sliding minute; spreading a tenth under its limit keeps every minute within it. */
const LIMIT_USED = 0.9;

/** Takes one list request of the carrier account's limit, over all processes. Resolves with how long to wait for it. */
export async function grantList(db: Db, carrierAccountId: string): Promise<number> {
  const granted = await sql<{ delayMs: number }>`
    update carrier_accounts set next_list_at = greatest(next_list_at, clock_timestamp())
      + ${MINUTE_MS / LIMIT_USED}::float8 / lists_per_minute * interval '1 millisecond'
    where id = ${carrierAccountId}
    returning greatest(0, (extract(epoch from next_list_at - clock_timestamp()) * 1000)::float8
      - ${MINUTE_MS / LIMIT_USED}::float8 / lists_per_minute) as "delayMs"`.execute(db);
  return granted.rows[0]?.delayMs ?? 0;
}

/** Asks nobody for the list for a while, since the carrier has said so. */
export async function slowLists(db: Db, carrierAccountId: string, delayMs: number): Promise<void> {
  await sql`
    update carrier_accounts set next_list_at =
      greatest(next_list_at, clock_timestamp() + ${delayMs} * interval '1 millisecond')
    where id = ${carrierAccountId}`.execute(db);
}

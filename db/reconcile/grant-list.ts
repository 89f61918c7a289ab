import { sql } from 'kysely';
import { listIntervalMs } from '../../domain/carrier-list.ts';
import type { Db } from '../database.ts';

/** Takes one list request of the carrier account's limit, over all processes. Resolves with how long to wait for it. */
export async function grantList(db: Db, carrierAccountId: string): Promise<number> {
  // What one list takes of a limit of one a minute is a part of the limit of any other.
  const granted = await sql<{ delayMs: number }>`
    update carrier_accounts set next_list_at = greatest(next_list_at, clock_timestamp())
      + ${listIntervalMs(1)}::float8 / lists_per_minute * interval '1 millisecond'
    where id = ${carrierAccountId}
    returning greatest(0, (extract(epoch from next_list_at - clock_timestamp()) * 1000)::float8
      - ${listIntervalMs(1)}::float8 / lists_per_minute) as "delayMs"`.execute(db);
  return granted.rows[0]?.delayMs ?? 0;
}

/** Asks nobody for the list for a while, since the carrier has said so. */
export async function slowLists(db: Db, carrierAccountId: string, delayMs: number): Promise<void> {
  await sql`
    update carrier_accounts set next_list_at =
      greatest(next_list_at, clock_timestamp() + ${delayMs} * interval '1 millisecond')
    where id = ${carrierAccountId}`.execute(db);
}

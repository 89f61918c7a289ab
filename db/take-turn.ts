import { sql } from 'kysely';
import type { Db } from './database.ts';

/** So much of its interval a turn may come early, since timers waver; the next comes later by as much. */
const EARLY_SHARE = 0.1;

/**
 * Whether it is this caller's turn to do something that is to be done once in each interval, whoever does it. Nothing is
 * kept for as long as it is done, so whoever dies in his turn only leaves the next to others.
 */
export async function takeTurn(db: Db, what: string, intervalMs: number): Promise<boolean> {
  const { rows } = await sql`
    insert into turns (what, next_at) values (${what}, clock_timestamp() + ${intervalMs} * interval '1 millisecond')
    on conflict (what) do update
      set next_at = greatest(turns.next_at, clock_timestamp()) + ${intervalMs} * interval '1 millisecond'
      where turns.next_at <= clock_timestamp() + ${intervalMs * EARLY_SHARE} * interval '1 millisecond'
    returning what`.execute(db);
  return rows.length > 0;
}

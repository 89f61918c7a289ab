import { sql } from 'kysely';
import type { Db } from './database.ts';

/** The database's clock, by which rows are dated, in epoch milliseconds. */
export async function databaseNow(db: Db): Promise<number> {
  const rows = await sql<{ now: number }>`
    select (extract(epoch from clock_timestamp()) * 1000)::float8 as now`.execute(db);
  const [row] = rows.rows;
  if (row === undefined) throw new Error('The database has not told the time.');
  return row.now;
}

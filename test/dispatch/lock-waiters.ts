import type { Client } from 'pg';
import { until } from '../../dev/until.ts';

/** Resolves once so many transactions of the client's database wait for a lock. */
export function lockWaiters(client: Client, transactions: number): Promise<unknown> {
  return until(
    async () => {
      const { rows } = await client.query<{ waiting: number }>(
        `select count(*)::int as waiting from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows[0]?.waiting ?? 0;
    },
    (found) => found >= transactions,
  );
}

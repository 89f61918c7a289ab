import type { ClientBase } from 'pg';
import { until } from '../../dev/until.ts';

/** Resolves once so many transactions of the client's database wait for a lock, also within a transaction of its own. */
export function lockWaiters(client: ClientBase, transactions: number, patienceMs?: number): Promise<unknown> {
  return until(
    async () => {
      // Within a transaction the list of connections is a snapshot, which lacks those that have come since.
      await client.query('select pg_stat_clear_snapshot()');
      const { rows } = await client.query<{ waiting: number }>(
        `select count(*)::int as waiting from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return rows[0]?.waiting ?? 0;
    },
    (found) => found >= transactions,
    patienceMs,
  );
}

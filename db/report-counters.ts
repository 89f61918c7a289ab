import { sql } from 'kysely';
import type { Trx } from './database.ts';
import { IN_FLIGHT_OF_LEASE } from './dispatch/lease-people.ts';

/**
 * A message's counters by name: what has been folded, what has not, and who is in flight, all in one statement and
 * so in one snapshot: always exact.
 */
export async function readCounters(
  trx: Trx,
  messageKeys: readonly number[],
): Promise<Map<number, Map<string, number>>> {
  const counters = new Map<number, Map<string, number>>(
    messageKeys.map((key) => [key, new Map<string, number>()]),
  );
  if (messageKeys.length === 0) return counters;
  const rows = await sql<{ key: number; counter: string; value: number }>`
    select message_key as key, counter, sum(value)::bigint as value from (
      select message_key, counter, value from rollups where message_key = any(${[...messageKeys]}::bigint[])
      union all
      select message_key, counter, delta from rollup_deltas where message_key = any(${[...messageKeys]}::bigint[])
      union all
      select l.message_key, case when w.repeats then 'in_flight_repeated' when w.wave = 0 then 'in_flight' else 'in_flight_again' end, ${IN_FLIGHT_OF_LEASE}
      from leases l join waves w on w.id = l.wave_id
      where l.message_key = any(${[...messageKeys]}::bigint[]) and l.closed_at is null
    ) x group by 1, 2`.execute(trx);
  for (const row of rows.rows) counters.get(row.key)?.set(row.counter, row.value);
  return counters;
}

/** How many accepted texts still await a final report, how many have failed, and how many attempts are unknown. */
export async function openEnds(
  trx: Trx,
  messageKeys: readonly number[],
): Promise<{ awaited: number; failed: number; unknown: number }> {
  let awaited = 0;
  let failed = 0;
  let unknown = 0;
  for (const counters of (await readCounters(trx, messageKeys)).values()) {
    awaited += counters.get('accepted') ?? 0;
    unknown += (counters.get('unknown') ?? 0) - (counters.get('resolved') ?? 0);
    for (const [counter, value] of counters) {
      if (counter === 'delivered' || counter.startsWith('undelivered:') || counter.startsWith('failed:')) {
        awaited -= value;
      }
      if (counter.startsWith('failed:')) failed += value;
    }
  }
  return { awaited, failed, unknown };
}

/** The same for all messages of a campaign. */
export async function openEndsOfCampaign(
  trx: Trx,
  campaignId: string,
): Promise<{ awaited: number; failed: number; unknown: number }> {
  const messages = await trx
    .selectFrom('messages')
    .where('campaign_id', '=', campaignId)
    .select('key')
    .execute();
  return openEnds(
    trx,
    messages.map((message) => message.key),
  );
}

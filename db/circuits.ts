import { sql } from 'kysely';
import {
  FAILURES_MIN,
  PROBE_DELAY_MS,
  PROBE_DELAY_MS_MAX,
  PROBE_MS_MAX,
} from '../domain/dispatch/circuit.ts';
import type { Db, Trx } from './database.ts';

/** Tells every worker of a circuit that opens; the payload is the scope's id. */
export const CIRCUIT_CHANNEL = 'carillon_circuits';

/** Counts requests that failed one after the other. Resolves with whether one of the scopes' circuits is open now. */
export async function noteFailures(db: Db, scopeIds: readonly string[], failures: number): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    await lockCircuits(trx, scopeIds);
    const { rows } = await sql<{ scopeId: string; isOpen: boolean; opens: boolean }>`
      with before as (
        select scope_id, opened_at is null and failures + ${failures}::int >= ${FAILURES_MIN}::int as opens,
          probing_until is not null as probed
        from circuits where scope_id = any(${[...scopeIds]}::text[])
      )
      update circuits c set
        failures = c.failures + ${failures}::int,
        trips = case when b.opens then 1 when b.probed then c.trips + 1 else c.trips end,
        opened_at = case when b.opens then clock_timestamp() else c.opened_at end,
        probe_after = case when b.opens or b.probed then clock_timestamp() + interval '1 millisecond' * least(
          ${PROBE_DELAY_MS_MAX}::float8, ${PROBE_DELAY_MS}::float8 * power(2, case when b.opens then 0 else c.trips end)
        ) else c.probe_after end,
        probing_until = null
      from before b where b.scope_id = c.scope_id
      returning c.scope_id as "scopeId", c.opened_at is not null as "isOpen", b.opens`.execute(trx);
    for (const { scopeId } of rows.filter((row) => row.opens)) {
      await sql`select pg_notify(${CIRCUIT_CHANNEL}, ${scopeId})`.execute(trx);
    }
    return rows.some((row) => row.isOpen);
  });
}

/** The carrier has taken a text: the scopes' circuits are closed. */
export async function noteTaken(db: Db, scopeIds: readonly string[]): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await lockCircuits(trx, scopeIds);
    await sql`
      update circuits set failures = 0, trips = 0, opened_at = null, probing_until = null, taken_at = clock_timestamp()
      where scope_id = any(${[...scopeIds]}::text[])`.execute(trx);
  });
}

/** Makes the rows that are missing, and locks all in one order for everybody. */
async function lockCircuits(trx: Trx, scopeIds: readonly string[]): Promise<void> {
  await sql`
    insert into circuits (scope_id) select x.id from unnest(${scopeIds.toSorted()}::text[]) as x(id)
    on conflict do nothing`.execute(trx);
  await sql`
    select from circuits where scope_id = any(${[...scopeIds]}::text[]) order by scope_id for update`.execute(
    trx,
  );
}

/** Takes the one probe that open circuits allow; false when somebody else has it. Closed ones need none. */
export async function claimProbe(trx: Trx, scopeIds: readonly string[]): Promise<boolean> {
  const { rows } = await sql<{ isDue: boolean }>`
    select greatest(probe_after, probing_until) <= clock_timestamp() as "isDue"
    from circuits where scope_id = any(${[...scopeIds]}::text[]) and opened_at is not null
    order by scope_id for update`.execute(trx);
  if (!rows.every((row) => row.isDue)) return false;
  await sql`
    update circuits set probing_until = clock_timestamp() + ${PROBE_MS_MAX} * interval '1 millisecond'
    where scope_id = any(${[...scopeIds]}::text[]) and opened_at is not null`.execute(trx);
  return true;
}

/** Whether the carrier is still left alone: a circuit is open, and nobody may probe it yet. */
export async function isLeftAlone(trx: Trx, campaignId: string): Promise<boolean> {
  const { rows } = await sql`
    select from campaigns c join senders s on s.id = c.sender_id
    join circuits x on x.scope_id in (s.id, s.carrier_account_id)
    where c.id = ${campaignId} and x.opened_at is not null
      and greatest(x.probe_after, x.probing_until) > clock_timestamp()`.execute(trx);
  return rows.length > 0;
}

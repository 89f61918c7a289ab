import { sql } from 'kysely';
import { afterFailures, type Circuit, PROBE_MS_MAX } from '../domain/dispatch/circuit.ts';
import type { Db, Trx } from './database.ts';

/** Tells every worker of a circuit that opens; the payload is the scope's id. */
export const CIRCUIT_CHANNEL = 'carillon_circuits';

/** Counts requests that failed one after the other. Resolves with whether one of the scopes' circuits is open now. */
export async function noteFailures(db: Db, scopeIds: readonly string[], failures: number): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const before = await lockCircuits(trx, scopeIds);
    const after = before.map((circuit) => ({
      scopeId: circuit.scopeId,
      isOpen: circuit.isOpen,
      ...afterFailures(circuit, failures),
    }));
    await sql`
      update circuits c set failures = x.failures, trips = x.trips, probing_until = null,
        opened_at = case when x.opens then clock_timestamp() else c.opened_at end,
        probe_after = case when x.delay_ms is null then c.probe_after
          else clock_timestamp() + x.delay_ms * interval '1 millisecond' end
      from unnest(${after.map((one) => one.scopeId)}::text[], ${after.map((one) => one.failures)}::int[],
        ${after.map((one) => one.trips)}::int[], ${after.map((one) => one.opens)}::boolean[],
        ${after.map((one) => one.probeDelayMs)}::float8[]) as x(scope_id, failures, trips, opens, delay_ms)
      where c.scope_id = x.scope_id`.execute(trx);
    for (const { scopeId } of after.filter((one) => one.opens)) {
      await sql`select pg_notify(${CIRCUIT_CHANNEL}, ${scopeId})`.execute(trx);
    }
    return after.some((one) => one.isOpen || one.opens);
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
async function lockCircuits(
  trx: Trx,
  scopeIds: readonly string[],
): Promise<(Circuit & { readonly scopeId: string })[]> {
  await sql`
    insert into circuits (scope_id) select x.id from unnest(${scopeIds.toSorted()}::text[]) as x(id)
    on conflict do nothing`.execute(trx);
  const { rows } = await sql<Circuit & { readonly scopeId: string }>`
    select scope_id as "scopeId", failures, trips, opened_at is not null as "isOpen",
      probing_until is not null as "isProbing"
    from circuits where scope_id = any(${[...scopeIds]}::text[]) order by scope_id for update`.execute(trx);
  return rows;
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

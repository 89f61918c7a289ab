import { sql } from 'kysely';
import type { Trx } from './database.ts';

/** Closed and opened gates tell every worker; the payload is the scope's id. */
export const GATE_CHANNEL = 'carillon_gates';

/** Adds to a gate's holds and tells the workers once the transaction has committed. */
export async function moveGate(trx: Trx, scopeId: string, by: number): Promise<void> {
  await trx
    .updateTable('gates')
    .set((set) => ({ holds: set('holds', '+', by) }))
    .where('scope_id', '=', scopeId)
    .execute();
  await sql`select pg_notify(${GATE_CHANNEL}, ${scopeId})`.execute(trx);
}

/** Which of these scopes are closed; one whose gate is missing is. */
export async function closedScopes(trx: Trx, scopeIds: readonly string[]): Promise<Set<string>> {
  const open = await trx
    .selectFrom('gates')
    .where('scope_id', 'in', scopeIds)
    .where('holds', '=', 0)
    .select('scope_id as scopeId')
    .execute();
  const openIds = new Set(open.map((gate) => gate.scopeId));
  return new Set(scopeIds.filter((id) => !openIds.has(id)));
}

/**
 * Whether all these gates are open; they stay so until the transaction ends. The share lock makes whoever places a hold
 * wait for leases under way, and leases after it see the hold.
 */
export async function lockOpenGates(trx: Trx, scopeIds: readonly string[]): Promise<boolean> {
  const gates = await trx
    .selectFrom('gates')
    .where('scope_id', 'in', scopeIds)
    .select('holds')
    .orderBy('scope_id')
    .forShare()
    .execute();
  return gates.length === scopeIds.length && gates.every((gate) => gate.holds === 0);
}

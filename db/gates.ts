import { type RawBuilder, sql } from 'kysely';
import { askedTogether } from './asked-together.ts';
import { centralScopesOf } from './central/central-scopes.ts';
import type { Trx } from './database.ts';
import { prepareQuery } from './prepared-query.ts';

/** Closed and opened gates tell every worker; the payload is the scope's id. */
export const GATE_CHANNEL = 'carillon_gates';

/** Sets the locks on gates apart from other advisory locks. */
const GATE_LOCKS = 10;

/**
 * Adds to a gate's holds and tells the workers once the transaction has committed. Waits for everybody who has found
 * the gate open, and whoever comes meanwhile waits for it: a stream of leases, each of which shared a lock on the row,
 * would keep a hold out for ever.
 */
export async function moveGate(trx: Trx, scopeId: string, by: number): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${scopeId}, ${GATE_LOCKS}))`.execute(trx);
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

/** Gates that are looked at together. */
export interface Scopes {
  readonly scopeIds: readonly string[];
  /** A campaign whose sender's gate is one more of them, and of a part those of its central campaign and its parent. */
  readonly campaignId: string | null;
  /** One of them that counts as closed unless it is a message which is being sent. */
  readonly messageId: string | null;
}

/** Their ids, as a table. */
const idsOf = ({ scopeIds, campaignId }: Scopes): RawBuilder<unknown> => sql`(
  select unnest(${scopeIds}::text[]) as id
  union all select unnest(array[sender_id] || ${centralScopesOf('campaigns')})
  from campaigns where id = ${campaignId}) s`;

/** A statement of its own, so that what is read after it is what was committed before the locks were given. */
const lockScopes = prepareQuery((db, scopes: Scopes) =>
  sql`
    select pg_advisory_xact_lock_shared(hashtextextended(x.id, ${sql.lit(GATE_LOCKS)}))
    from (select id from ${idsOf(scopes)} order by id collate "C") x`.compile(db),
);

const openScopes = prepareQuery((db, scopes: Scopes) =>
  sql<{ scopeId: string }>`
    select scope_id as "scopeId" from gates where scope_id in (select id from ${idsOf(scopes)})
      and (scope_id is distinct from ${scopes.messageId} or exists (
        select from messages where id = ${scopes.messageId} and status = 'sending'))
      and holds = 0`.compile(db),
);

/**
 * Which of these gates are open; they stay so until the transaction ends. Whoever places a hold waits for leases under
 * way, and leases after it see the hold. The locks are taken in one order by everybody.
 *
 * A message of which somebody is left is ended, and perhaps given another time, only behind its campaign's closed gate.
 * So whether it is being sent is read once the locks are held, and stays so, too: a lane of before a stop may ask after
 * the restart.
 */
export async function lockGates(trx: Trx, scopes: Scopes): Promise<Set<string>> {
  const [, open] = await askedTogether([lockScopes(trx, scopes), openScopes(trx, scopes)]);
  return new Set(open.map((gate) => gate.scopeId));
}

/** The same where they all have to be open. */
export async function lockOpenGates(trx: Trx, scopeIds: readonly string[]): Promise<boolean> {
  const open = await lockGates(trx, { scopeIds, campaignId: null, messageId: null });
  return scopeIds.every((id) => open.has(id));
}

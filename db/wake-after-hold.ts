import { sql } from 'kysely';
import { type Db, withAccount } from './database.ts';
import type { Scope } from './in-flight.ts';

/** A wide hold that was lifted and whose campaigns have not all been woken yet. */
export interface LiftedHold extends Scope {
  readonly id: string;
  readonly accountId: string;
}

/** Wakes a campaign's run; safe to repeat. */
export type Wake = (accountId: string, campaignId: string) => Promise<void>;

const CAMPAIGNS_AT_ONCE = 500;

/**
 * Wakes every campaign that a message of may have ended its run at the scope's gate. The hold remembers when that is
 * done, so that whoever is not reached now (the engine may be down) is woken by repair.
 */
export async function wakeAfterHold(db: Db, hold: LiftedHold, wake: Wake): Promise<void> {
  let after = '';
  for (;;) {
    const found = await sql<{ id: string; accountId: string }>`
      select id, account_id as "accountId"
      from campaigns_waiting_on(${hold.scope}, ${hold.scopeId}, ${after}, ${CAMPAIGNS_AT_ONCE})`.execute(db);
    for (const campaign of found.rows) await wake(campaign.accountId, campaign.id);
    after = found.rows.at(-1)?.id ?? '';
    if (found.rows.length < CAMPAIGNS_AT_ONCE) break;
  }
  await withAccount(db, hold.accountId, (trx) =>
    trx
      .updateTable('holds')
      .set({ woken_at: sql<Date>`clock_timestamp()` })
      .where('id', '=', hold.id)
      .execute(),
  );
}

/** Lifted wide holds of all accounts whose campaigns are still to be woken. */
export async function holdsToWake(db: Db, howMany: number): Promise<LiftedHold[]> {
  const rows = await sql<LiftedHold>`
    select id, account_id as "accountId", scope, scope_id as "scopeId" from holds_to_wake(${howMany})`.execute(
    db,
  );
  return rows.rows;
}

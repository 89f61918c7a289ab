import { sql } from 'kysely';
import type pg from 'pg';
import type { Db } from './database.ts';

/** Something that a workflow should be running for. */
export interface RunWanted {
  readonly id: string;
  readonly accountId: string;
}

/** A central campaign that should have a run, or has an action that nobody has answered yet. */
export interface CentralToRun extends RunWanted {
  readonly hasWaitingAction: boolean;
}

/** Any other campaign of which that is so. */
export interface CampaignToRun extends CentralToRun {
  /** It is a part, and its slice starts its run. */
  readonly startsBySlice: boolean;
}

/** The first of them after this id, in the order of their ids and of all accounts. */
export async function campaignsToRun(db: Db, afterId: string, howMany: number): Promise<CampaignToRun[]> {
  const rows = await sql<CampaignToRun>`
    select id, account_id as "accountId", has_waiting_action as "hasWaitingAction",
      starts_by_slice as "startsBySlice"
    from campaigns_to_run(${afterId}, ${howMany})`.execute(db);
  return rows.rows;
}

/** The same of central campaigns. */
export async function centralsToRun(db: Db, afterId: string, howMany: number): Promise<CentralToRun[]> {
  const rows = await sql<CentralToRun>`
    select id, account_id as "accountId", has_waiting_action as "hasWaitingAction"
    from centrals_to_run(${afterId}, ${howMany})`.execute(db);
  return rows.rows;
}

/** Notes that these parts have no run; their slices start them. */
export async function noteMissingRuns(db: Db, campaignIds: readonly string[]): Promise<void> {
  if (campaignIds.length === 0) return;
  await sql`select note_missing_runs(${[...campaignIds]}::text[])`.execute(db);
}

/** A slice of a central campaign with states of parts that it has not seen. */
export interface SliceToLook {
  readonly accountId: string;
  readonly campaignId: string;
  readonly slice: number;
}

/**
 * Slices that are worth a look: all of their parts are over, a run of one is missing, a tenth of their states is news, or
 * the oldest news are of an hour ago. Less would fill their histories with looks.
 */
export async function slicesToLook(db: Db, howMany: number): Promise<SliceToLook[]> {
  const rows = await sql<SliceToLook>`
    select account_id as "accountId", central_id as "campaignId", slice from slices_to_look(${howMany})`.execute(
    db,
  );
  return rows.rows;
}

/** Imports of all accounts whose content is complete but not yet imported. */
export async function importsToRun(db: Db, howMany: number): Promise<RunWanted[]> {
  const rows = await sql<RunWanted>`
    select id, account_id as "accountId" from imports_to_run(${howMany})`.execute(db);
  return rows.rows;
}

/** Adds counter changes up into their rollups. Resolves with how many it took; reports are exact either way. */
export async function foldRollups(db: Db, howMany: number): Promise<number> {
  const rows = await sql<{ folded: number }>`select fold_rollups(${howMany}) as folded`.execute(db);
  return rows.rows[0]?.folded ?? 0;
}

/** Forgets answers that were kept for repeated requests, seven days after they were given. */
export async function forgetIdempotencyKeys(db: Db): Promise<void> {
  await sql`select forget_idempotency_keys()`.execute(db);
}

/** Runs the work if no other process runs it just now; the lock goes with the connection. */
export async function underRepairLock(pool: pg.Pool, work: () => Promise<void>): Promise<boolean> {
  const client = await pool.connect();
  try {
    const got = await client.query<{ got: boolean }>(
      `select pg_try_advisory_lock(hashtext('carillon repair')) as got`,
    );
    if (got.rows[0]?.got !== true) return false;
    try {
      await work();
      return true;
    } finally {
      await client.query(`select pg_advisory_unlock(hashtext('carillon repair'))`);
    }
  } finally {
    client.release();
  }
}

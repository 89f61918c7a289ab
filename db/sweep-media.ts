import { sql } from 'kysely';
import type { Db } from './database.ts';
import { appendLog } from './log.ts';
import { MEDIA_GRACE_MS } from './media.ts';

/** The most that one sweep removes. */
const REMOVED_MAX = 1_000;

/**
 * Removes media of all accounts that no campaign has used for the grace, and uploads that broke off. Each removal
 * stands in its account's log. Resolves with how many were removed.
 */
export async function sweepMedia(db: Db, graceMs = MEDIA_GRACE_MS): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const removed = await sql<{ id: string; accountId: string; bytes: number }>`
      select id, account_id as "accountId", bytes
      from sweep_media(${graceMs} * interval '1 millisecond', ${REMOVED_MAX})`.execute(trx);
    for (const { id, accountId, bytes } of removed.rows) {
      await sql`select set_config('app.account', ${accountId}, true)`.execute(trx);
      await appendLog(trx, {
        accountId,
        subject: { kind: 'media', id },
        what: 'delete',
        actor: { id: 'system', via: 'system' },
        detail: { reason: 'unused', bytes },
      });
    }
    return removed.rows.length;
  });
}

import { sql } from 'kysely';
import { type Db, withLedger } from '../database.ts';
import { fenceMessage } from './enter-lane.ts';

/** No lane that lives has a lease for so long: it is too old to be posted after seconds, and answered and recorded soon. */
const OPEN_MS_MAX = 5 * 60_000;

/**
 * Gives up as lost whoever a lane has left open that nobody plans again. That is so where Temporal has lost the run of a
 * message, and its campaign was stopped, aborted or is held since: the run that follows has no lanes to look after.
 */
export async function closeLeftOpen(db: Db, howMany: number): Promise<void> {
  const { rows } = await sql<{ accountId: string; campaignId: string; messageKey: number }>`
    select account_id as "accountId", campaign_id as "campaignId", message_key as "messageKey"
    from messages_left_open(${OPEN_MS_MAX}, ${howMany})`.execute(db);
  for (const { accountId, campaignId, messageKey } of rows) {
    await withLedger(db, accountId, async (trx) => {
      // Before lanes and leases, as whoever plans a message locks them.
      await trx
        .selectFrom('campaigns')
        .where('id', '=', campaignId)
        .select('id')
        .forNoKeyUpdate()
        .executeTakeFirst();
      await fenceMessage(trx, accountId, messageKey);
    });
  }
}

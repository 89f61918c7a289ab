import type { Lease } from '../../domain/dispatch/dispatch-store.ts';
import { type Db, type Trx, withLedger } from '../database.ts';
import { quotasOfSender } from '../quotas.ts';
import { grantQuotaRates } from './claim-quotas.ts';
import { grantPace, grantRequests } from './grants.ts';

/**
 * Grants what is left of a lease its pace once more, over everything that is shared, in the order in which leases lock
 * it. Units of a day stay counted as they were. Resolves with the machine milliseconds until the first may go out.
 */
export async function grantAgain(
  db: Db,
  { accountId, senderId, carrierAccountId, kind }: Lease,
  left: { readonly requests: number; readonly units: number },
): Promise<number> {
  // Nobody waits for a disk because of it: time that is granted and lost with a crash was nobody's.
  const grant = async (trx: Trx): Promise<number> => {
    const sender = await trx
      .selectFrom('senders')
      .where('id', '=', senderId)
      .select(['segments_per_second as segments', 'mms_per_second as mms'])
      .executeTakeFirstOrThrow();
    const quotaDelayMs = await grantQuotaRates(trx, await quotasOfSender(trx, senderId), left.units);
    const requests = await grantRequests(trx, carrierAccountId, left.requests);
    const paced = { id: senderId, pace: kind === 'mms' ? sender.mms : sender.segments };
    const pace = await grantPace(trx, paced, kind, left.units);
    return Math.max(0, quotaDelayMs, requests.delayMs, pace.delayMs);
  };
  return withLedger(db, accountId, (trx) => grant(trx), { releasesEarly: true });
}

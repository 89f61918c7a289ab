import { isLive } from '../domain/campaign-status.ts';
import { type CarrierTrouble, isCarrierTrouble } from '../domain/carrier-trouble.ts';
import type { SuspendCause } from '../domain/dispatch/dispatch-store.ts';
import { SUSPENSIONS } from '../domain/suspension.ts';
import { raiseCarrierTrouble } from './carrier-alerts.ts';
import type { Trx } from './database.ts';
import { holdCampaign } from './holds.ts';
import { lockStatus } from './placed-holds.ts';

/**
 * Suspends a campaign for a cause that the system saw; after the transaction commits no lease is opened. `textMicroUsd`
 * is what the text costs for which there was no money. One that has ended meanwhile, or was stopped, stays as it is: what
 * was seen came from a lane or a report of before, and nobody could resume it.
 */
export async function suspendCampaign(
  trx: Trx,
  campaign: { readonly accountId: string; readonly campaignId: string },
  cause: SuspendCause,
  textMicroUsd?: number,
): Promise<void> {
  const { reason, remedy } = SUSPENSIONS[cause];
  const status = await lockStatus(trx, campaign.campaignId);
  if (status !== null && isLive(status)) {
    await holdCampaign(trx, {
      accountId: campaign.accountId,
      campaignId: campaign.campaignId,
      kind: 'suspend',
      cause,
      reason: `${reason} ${remedy}`,
      ...(textMicroUsd === undefined ? {} : { textMicroUsd }),
      actor: { id: 'system', via: 'system' },
    });
  }
  if (isCarrierTrouble(cause)) await tellOfCarrier(trx, campaign, cause);
}

/** What stops one campaign is the matter with the carrier account, and so with every campaign that sends by it. */
async function tellOfCarrier(
  trx: Trx,
  campaign: { readonly accountId: string; readonly campaignId: string },
  trouble: CarrierTrouble,
): Promise<void> {
  const sender = await trx
    .selectFrom('campaigns as c')
    .innerJoin('senders as s', 's.id', 'c.sender_id')
    .where('c.id', '=', campaign.campaignId)
    .select('s.carrier_account_id as carrierAccountId')
    .executeTakeFirst();
  if (sender === undefined) return;
  await raiseCarrierTrouble(trx, { accountId: campaign.accountId, ...sender }, trouble);
}

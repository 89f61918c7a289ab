import type { SuspendCause } from '../domain/dispatch/dispatch-store.ts';
import { SUSPENSIONS } from '../domain/suspension.ts';
import type { Trx } from './database.ts';
import { holdCampaign } from './holds.ts';

/** Suspends a campaign for a cause that the system saw; after the transaction commits no lease is opened. */
export async function suspendCampaign(
  trx: Trx,
  campaign: { readonly accountId: string; readonly campaignId: string },
  cause: SuspendCause,
): Promise<void> {
  const { reason, remedy } = SUSPENSIONS[cause];
  await holdCampaign(trx, {
    accountId: campaign.accountId,
    campaignId: campaign.campaignId,
    kind: 'suspend',
    cause,
    reason: `${reason} ${remedy}`,
    actor: { id: 'system', via: 'system' },
  });
}

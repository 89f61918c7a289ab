import { forecastMisfits } from '../../domain/review/review-warnings.ts';
import { isLive } from '../../domain/campaign-status.ts';
import { raiseAlert, resolveAlerts } from '../alerts.ts';
import { findCampaign } from '../campaigns.ts';
import type { Trx } from '../database.ts';
import { readReview } from './read-review.ts';

const SEVERITIES = { forecast_expires: 'warning', forecast_rolls_over: 'info' } as const;
const CAUSES = ['forecast_expires', 'forecast_rolls_over'] as const;

/**
 * Looks at a campaign whose audience has just been frozen, and alerts of each message that will not have reached
 * everybody when it expires or its quiet hours begin. What fits by now is resolved. `at` is campaign time.
 */
export async function alertOfForecast(
  trx: Trx,
  input: { readonly accountId: string; readonly campaignId: string; readonly at: number },
): Promise<void> {
  const { accountId, campaignId, at } = input;
  const campaign = await findCampaign(trx, campaignId);
  if (campaign === null || !isLive(campaign.status) || campaign.audienceFrozenAt === null) return;
  const review = await readReview(trx, campaign, { action: 'run' }, at);
  for (const { message, forecast } of review.messages) {
    const misfits = forecast === null ? [] : forecastMisfits(forecast, review.settings.account.timeZone);
    for (const cause of CAUSES) {
      const misfit = misfits.find((one) => one.code === cause);
      const which = { accountId, kind: 'forecast', cause } as const;
      if (misfit === undefined) {
        await resolveAlerts(trx, { ...which, subjectId: message.id });
        continue;
      }
      const { reason, remedy } = misfit;
      const subject = { kind: 'message', id: message.id } as const;
      await raiseAlert(trx, { ...which, severity: SEVERITIES[cause], subject, campaignId, reason, remedy });
    }
  }
}

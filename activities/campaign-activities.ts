import { Context } from '@temporalio/activity';
import type { CrashHook } from '../domain/dispatch/crash-points.ts';
import { freezeAudience } from '../db/audience.ts';
import type { StepInput, StepPlan } from '../db/campaign-step/step-plan.ts';
import { withAccount } from '../db/database.ts';
import { expireSome, type MessagePlanInput, planMessage } from '../db/message-plan.ts';
import type { MessagePlan } from '../domain/dispatch/message-plan.ts';
import { prepareCampaign, type PrepareResult } from '../db/prepare-campaign.ts';
import { alertOfForecast } from '../db/review/forecast-alerts.ts';
import { suspendCampaign } from '../db/suspend-campaign.ts';
import type { AskAccountDeps } from './ask-account.ts';
import type { ReportWatches } from './report-watches.ts';
import { stepAsking } from './step-campaign.ts';

/** What the activities of campaigns need. */
export interface CampaignActivityDeps extends AskAccountDeps {
  readonly crash: CrashHook;
  readonly watches: ReportWatches;
}

interface CampaignAt {
  readonly accountId: string;
  readonly campaignId: string;
  /** Campaign time in epoch milliseconds. */
  readonly at: number;
}

/** The activities by which campaigns and messages read and move their rows. */
export function createCampaignActivities(deps: CampaignActivityDeps) {
  return {
    stepCampaign: async (input: StepInput): Promise<StepPlan> => {
      const plan = await stepAsking(deps, input, Context.current().cancellationSignal);
      // In a crowd it sleeps until its reports are due: to look at once, and for once, is too early to find them.
      return plan.kind === 'settle' && deps.watches.areEnough() ? { ...plan, kind: 'run' } : plan;
    },

    prepareCampaign: (input: CampaignAt): Promise<PrepareResult> =>
      withAccount(deps.db, input.accountId, (trx) => prepareCampaign(trx, input)),

    freezeAudience: async (input: CampaignAt): Promise<{ size: number }> => {
      const beat = setInterval(() => Context.current().heartbeat(), 5_000);
      try {
        const size = await withAccount(deps.db, input.accountId, async (trx) => {
          const result = await freezeAudience(trx, input.campaignId, input.at);
          if (result.kind === 'list_gone') await suspendCampaign(trx, input, 'list_gone');
          deps.crash('freeze.before_commit');
          return result.kind === 'frozen' ? result.size : 0;
        });
        deps.crash('freeze.committed');
        await withAccount(deps.db, input.accountId, (trx) => alertOfForecast(trx, input));
        return { size };
      } finally {
        clearInterval(beat);
      }
    },

    planMessage: (input: MessagePlanInput): Promise<MessagePlan> =>
      withAccount(deps.db, input.accountId, (trx) => planMessage(trx, input)),

    expireMessage: async (input: MessagePlanInput): Promise<{ expired: number }> => {
      let expired = 0;
      for (;;) {
        const some = await withAccount(deps.db, input.accountId, (trx) => expireSome(trx, input));
        if (some === 0) return { expired };
        expired += some;
        Context.current().heartbeat(expired);
      }
    },
  };
}

/** The activities as workflows see them. */
export type CampaignActivities = ReturnType<typeof createCampaignActivities>;

import { CarrierQuestion } from '../db/campaign-step/carrier-question.ts';
import { stepCampaign } from '../db/campaign-step/step-campaign.ts';
import type { StepInput, StepPlan } from '../db/campaign-step/step-plan.ts';
import { withAccount } from '../db/database.ts';
import type { CarrierStanding } from '../domain/carrier-standing.ts';
import { askAccount, type AskAccountDeps } from './ask-account.ts';

/** One answer is of one moment: a step that still asks after so many is tried again as a whole. */
const QUESTIONS_MAX = 2;

/** One step of a campaign. Where a resume needs the carrier's word, the carrier is asked between two transactions. */
export async function stepAsking(
  deps: AskAccountDeps,
  input: StepInput,
  signal: AbortSignal,
): Promise<StepPlan> {
  const standings = new Map<string, CarrierStanding>();
  for (;;) {
    try {
      return await withAccount(deps.db, input.accountId, (trx) => stepCampaign(trx, input, standings));
    } catch (error) {
      if (!(error instanceof CarrierQuestion) || standings.size >= QUESTIONS_MAX) throw error;
      const { carrierAccountId } = error;
      standings.set(carrierAccountId, await askAccount(deps, carrierAccountId, signal));
    }
  }
}

import type { ApiDeps } from './deps.ts';
import type { CampaignRole } from '../domain/campaign-actions.ts';
import type { ActionReply } from '../workflows/contract.ts';

/** How the run of a campaign is spoken to: that of a central campaign is a workflow of its own. */
export interface CampaignRun {
  /** Starts it, or wakes the one there is. */
  readonly wake: (accountId: string, campaignId: string) => Promise<void>;
  /** Has an action that stands in the database applied; null when nobody has answered within the time. */
  readonly apply: (accountId: string, campaignId: string, actionId: string) => Promise<ActionReply | null>;
}

/** The run of a campaign by its role. */
export function runOf({ workflows }: Pick<ApiDeps, 'workflows'>, role: CampaignRole | null): CampaignRun {
  return role === 'central'
    ? { wake: workflows.wakeCentral, apply: workflows.applyCentralAction }
    : { wake: workflows.wakeCampaign, apply: workflows.applyAction };
}

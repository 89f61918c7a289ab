import type { Actor } from '../domain/actor.ts';
import type { CampaignStatus } from '../domain/campaign-status.ts';
import type { Trx } from './database.ts';

/** One line of a campaign's log: who did what, when and by which way. */
export interface LogEntry {
  readonly accountId: string;
  readonly campaignId: string;
  readonly what: string;
  readonly from?: CampaignStatus;
  readonly to?: CampaignStatus;
  readonly actionId?: string;
  readonly actor: Actor;
  /** Ids, codes and counts only. */
  readonly detail?: Record<string, unknown>;
}

/** Appends to the log; nothing ever changes or removes a line. */
export async function appendLog(trx: Trx, entry: LogEntry): Promise<void> {
  await trx
    .insertInto('campaign_log')
    .values({
      account_id: entry.accountId,
      campaign_id: entry.campaignId,
      what: entry.what,
      from_status: entry.from ?? null,
      to_status: entry.to ?? null,
      action_id: entry.actionId ?? null,
      who: entry.actor.id,
      via: entry.actor.via,
      detail: JSON.stringify(entry.detail ?? {}),
    })
    .execute();
}

import type { Actor } from '../domain/actor.ts';
import { type CampaignStatus, isLive } from '../domain/campaign-status.ts';
import type { Trx } from './database.ts';
import { showStatus } from './holds.ts';
import type { Scope } from './in-flight.ts';
import { appendLog } from './log.ts';

/** What the log keeps of a hold that was placed or lifted. */
export interface HoldChange extends Scope {
  readonly accountId: string;
  readonly campaignId: string | null;
  /** The campaign's status before, its row locked; null for a wider scope. */
  readonly status: CampaignStatus | null;
  readonly actor: Actor;
  readonly actionId?: string;
  /** Why it was placed; nothing when it is lifted. */
  readonly reason?: string;
}

/** Writes the status that a hold on a campaign gives it, while a workflow runs it, and a line of the log. */
export async function showHold(
  trx: Trx,
  what: 'hold' | 'lift',
  holdId: string,
  change: HoldChange,
): Promise<void> {
  const { campaignId, status } = change;
  const shows = campaignId !== null && change.scope === 'campaign' && status !== null && isLive(status);
  const to = shows ? await showStatus(trx, campaignId) : status;
  await appendLog(trx, {
    accountId: change.accountId,
    ...(campaignId === null ? {} : { campaignId }),
    subject: { kind: 'hold', id: holdId },
    what,
    ...(status === null ? {} : { from: status }),
    ...(to === null ? {} : { to }),
    ...(change.actionId === undefined ? {} : { actionId: change.actionId }),
    actor: change.actor,
    detail: {
      scope: change.scope,
      scopeId: change.scopeId,
      ...(change.reason === undefined ? {} : { reason: change.reason }),
    },
  });
}

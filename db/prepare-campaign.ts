import type { Actor } from '../domain/actor.ts';
import type { StatusReason } from '../domain/campaign-status.ts';
import { CONTENT_REFUSED } from '../domain/content-check.ts';
import { appendLog } from './log.ts';
import { raiseAlert } from './alerts.ts';
import { takeRestartBack } from './campaign-step/message-orders.ts';
import type { Trx } from './database.ts';
import { holdCampaign, showStatus } from './holds.ts';
import { readRefusedContent } from './refused-content.ts';
import { suspendCampaign } from './suspend-campaign.ts';
import { outsideCause } from './suspend-causes.ts';

/** How the preparation of a launched campaign ended. */
export type PrepareResult = { readonly kind: 'prepared' | 'rejected' | 'suspended' | 'not_wanted' };

const SYSTEM: Actor = { id: 'system', via: 'system' };

/**
 * Prepares a launched campaign: its content against the refused phrases in force, its sender's registration.
 * `at` is campaign time. Content that is refused rejects it; after a restart it goes back to stopped.
 */
export async function prepareCampaign(
  trx: Trx,
  input: { readonly accountId: string; readonly campaignId: string; readonly at: number },
): Promise<PrepareResult> {
  const campaign = await trx
    .selectFrom('campaigns')
    .where('id', '=', input.campaignId)
    .select(['kind', 'central_id', 'status', 'prepared_at', 'was_restarted', 'content_overruled_by'])
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  if (campaign.status !== 'processing' || campaign.prepared_at !== null) return { kind: 'not_wanted' };

  const reasons = campaign.content_overruled_by === null ? await refusedContent(trx, input) : [];
  if (reasons.length > 0) {
    const isPart = campaign.central_id !== null;
    await reject(trx, input, { wasRestarted: campaign.was_restarted, isPart }, reasons);
    return { kind: 'rejected' };
  }
  await trx
    .updateTable('campaigns')
    .set({ prepared_at: new Date(input.at), status_reasons: '[]' })
    .where('id', '=', input.campaignId)
    .execute();
  const isCentral = campaign.kind === 'central' && campaign.central_id === null;
  // Senders and lists are those of its parts.
  const cause = isCentral ? null : await outsideCause(trx, input.campaignId, input.at);
  if (cause !== null) {
    await suspendCampaign(trx, input, cause);
    return { kind: 'suspended' };
  }
  const to = await showStatus(trx, input.campaignId);
  await appendLog(trx, { ...input, what: 'prepare', from: 'processing', to, actor: SYSTEM });
  return { kind: 'prepared' };
}

async function refusedContent(
  trx: Trx,
  input: { readonly campaignId: string; readonly at: number },
): Promise<StatusReason[]> {
  const messages = await trx
    .selectFrom('messages')
    .where('campaign_id', '=', input.campaignId)
    .where('status', '=', 'scheduled')
    .select(['id', 'text'])
    .orderBy('position')
    .execute();
  return readRefusedContent(trx, messages, input.at);
}

/** What was refused: the first launch or a restart, of a campaign of the account's own or of a part, whose text is its parent's. */
interface Refused {
  readonly wasRestarted: boolean;
  readonly isPart: boolean;
}

function remedyOf({ wasRestarted, isPart }: Refused): string {
  if (isPart) {
    const retry = 'Have the phrase taken off the list, and ask the parent to try the account again';
    return wasRestarted ? `${retry}.` : `${retry}, or an operator to overrule the check.`;
  }
  return wasRestarted
    ? 'Its messages are locked: duplicate the campaign and edit the copy, or have the phrase taken off the list and restart.'
    : 'Edit the messages and launch again, or ask an operator to overrule the check.';
}

async function reject(
  trx: Trx,
  input: { readonly accountId: string; readonly campaignId: string; readonly at: number },
  refused: Refused,
  reasons: readonly StatusReason[],
): Promise<void> {
  const to = refused.wasRestarted ? 'stopped' : 'rejected';
  if (refused.wasRestarted) {
    // The restart has lifted the hold of the stop before.
    const reason = 'Its content was refused when it was restarted.';
    await holdCampaign(trx, { ...input, kind: 'stop', cause: CONTENT_REFUSED, reason, actor: SYSTEM });
    await takeRestartBack(trx, input.campaignId, input.at);
  } else {
    await trx
      .updateTable('messages')
      .set({ status: 'draft' })
      .where('campaign_id', '=', input.campaignId)
      .where('status', '=', 'scheduled')
      .execute();
  }
  await trx
    .updateTable('campaigns')
    .set((set) => ({ status: to, status_reasons: JSON.stringify(reasons), version: set('version', '+', 1) }))
    .where('id', '=', input.campaignId)
    .execute();
  await appendLog(trx, {
    accountId: input.accountId,
    campaignId: input.campaignId,
    what: 'reject',
    from: 'processing',
    to,
    actor: SYSTEM,
    detail: { messages: reasons.map((reason) => reason.messageId) },
  });
  const [first] = reasons;
  const others = reasons.length - 1;
  await raiseAlert(trx, {
    accountId: input.accountId,
    kind: 'content_rejected',
    severity: 'critical',
    subject: { kind: 'campaign', id: input.campaignId },
    campaignId: input.campaignId,
    cause: CONTENT_REFUSED,
    reason: `The content is refused. ${first?.message ?? ''}${others > 0 ? ` There are ${others} more such passages.` : ''}`,
    remedy: remedyOf(refused),
  });
}

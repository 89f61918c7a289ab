import { sql } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import { isPartRetryable, type PartState, wordsOfPartReason } from '../../domain/central/part-states.ts';
import { CONTENT_REFUSED } from '../../domain/content-check.ts';
import { lockAccount } from '../accounts.ts';
import { resolveCampaignAlerts } from '../campaign-alerts.ts';
import { orderAction } from '../campaign-orders.ts';
import { lockCampaign } from '../campaigns.ts';
import { actAs, type Trx } from '../database.ts';
import { newId } from '../ids.ts';
import { appendLog } from '../log.ts';
import { listMessages } from '../messages.ts';
import { readRefusedContent } from '../refused-content.ts';
import { persistingCause } from '../suspend-causes.ts';
import { refusalToReopen, reopenCentral } from './reopen-central.ts';

/** A parent's wish that the part of one of its sub-accounts is tried again. */
export interface PartRetry {
  /** The parent. */
  readonly accountId: string;
  readonly campaignId: string;
  readonly subAccountId: string;
  readonly actor: Actor;
  /** Campaign time. */
  readonly at: number;
}

/** What became of it. */
export type RetryResult =
  | { readonly kind: 'gone' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'persists'; readonly cause: string; readonly reason: string }
  /** Its run has to hear of the action. */
  | { readonly kind: 'resumed'; readonly partId: string; readonly actionId: string }
  /** Its slice has to start its run. */
  | { readonly kind: 'prepared_again'; readonly partId: string; readonly slice: number };

/**
 * Has a part tried again that was suspended or rejected: a suspended one is resumed once its cause is gone, a rejected one
 * is prepared anew. A central campaign that was finished without it goes on.
 */
export async function retryPart(trx: Trx, retry: PartRetry): Promise<RetryResult> {
  const central = await lockCampaign(trx, retry.campaignId);
  if (central === null) return { kind: 'gone' };
  const part = await trx
    .selectFrom('central_parts')
    .where('central_id', '=', central.id)
    .where('sub_account_id', '=', retry.subAccountId)
    .select(['campaign_id as campaignId', 'state', 'reason', 'slice'])
    .executeTakeFirst();
  if (part === undefined) return { kind: 'gone' };
  const isOver = refusalToReopen(central);
  if (isOver !== null) return { kind: 'refused', reason: isOver };
  const { campaignId: partId, state, reason } = part;
  if (partId === null || !isPartRetryable(state, reason)) {
    return { kind: 'refused', reason: refusalOf(state, reason) };
  }
  const accounts = { from: retry.accountId, to: retry.subAccountId };
  const result = await actAs(trx, accounts, async (): Promise<RetryResult> => {
    // Whoever leaves or is disabled comes before or after.
    const account = await lockAccount(trx, retry.subAccountId);
    if (account?.parentId !== retry.accountId) return { kind: 'gone' };
    if (account.disabledAt !== null)
      return { kind: 'refused', reason: 'The account is disabled. Enable it first.' };
    return state === 'rejected'
      ? prepareAgain(trx, retry, { partId, slice: part.slice })
      : resume(trx, retry, partId);
  });
  if (result.kind !== 'resumed' && result.kind !== 'prepared_again') return result;
  await reopenCentral(trx, central, retry.subAccountId);
  await appendLog(trx, {
    accountId: retry.accountId,
    campaignId: central.id,
    what: 'retry_account',
    actor: retry.actor,
    detail: { account: retry.subAccountId, state },
  });
  return result;
}

function refusalOf(state: PartState, reason: string | null): string {
  if (state === 'suspended') return wordsOfPartReason(reason) ?? '';
  return `Only a part that is suspended or rejected can be tried again. This one is ${state}.`;
}

async function resume(trx: Trx, retry: PartRetry, partId: string): Promise<RetryResult> {
  const campaign = await lockCampaign(trx, partId);
  if (campaign === null) return { kind: 'gone' };
  const cause = await persistingCause(trx, retry.subAccountId, partId, retry.at, () => null);
  if (cause !== null) return { kind: 'persists', ...cause };
  const ordered = await orderAction(trx, {
    campaign,
    name: 'resume',
    args: {},
    actor: { ...retry.actor, via: 'parent' },
    at: retry.at,
    byParent: { key: `retry/${newId('act')}` },
  });
  return ordered.kind === 'refused'
    ? { kind: 'refused', reason: ordered.reason }
    : { kind: 'resumed', partId, actionId: ordered.actionId };
}

/** Whether it would only be refused again. */
async function refusedContent(trx: Trx, { at }: PartRetry, partId: string): Promise<RetryResult | null> {
  const unsent = (await listMessages(trx, partId)).filter(({ status }) => status === 'draft');
  const [first] = await readRefusedContent(trx, unsent, at);
  return first === undefined ? null : { kind: 'persists', cause: CONTENT_REFUSED, reason: first.message };
}

async function prepareAgain(
  trx: Trx,
  retry: PartRetry,
  { partId, slice }: { readonly partId: string; readonly slice: number },
): Promise<RetryResult> {
  const campaign = await lockCampaign(trx, partId);
  if (campaign === null) return { kind: 'gone' };
  if (campaign.status !== 'rejected') return { kind: 'refused', reason: `It is ${campaign.status} already.` };
  const refused = await refusedContent(trx, retry, partId);
  if (refused !== null) return refused;
  const prepared = await trx
    .updateTable('campaigns')
    .set((set) => ({
      status: 'processing' as const,
      prepared_at: null,
      status_reasons: '[]',
      version: set('version', '+', 1),
    }))
    .where('id', '=', partId)
    // One that was taken from the parent's gates would text beyond the parent's reach.
    .where('detached_at', 'is', null)
    .returning('id')
    .executeTakeFirst();
  if (prepared === undefined) return { kind: 'refused', reason: 'It is no part of the campaign any more.' };
  await trx
    .updateTable('messages')
    .set({ status: 'scheduled', due_at: sql<Date | null>`case when schedule_local is null then due_at end` })
    .where('campaign_id', '=', partId)
    .where('status', '=', 'draft')
    .execute();
  await resolveCampaignAlerts(trx, partId, ['content_rejected']);
  await appendLog(trx, {
    accountId: retry.subAccountId,
    campaignId: partId,
    what: 'retry',
    from: 'rejected',
    to: 'processing',
    actor: { ...retry.actor, via: 'parent' },
  });
  return { kind: 'prepared_again', partId, slice };
}

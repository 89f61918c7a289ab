import { sql } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import { isPartRetryable, type PartState, wordsOfPartReason } from '../../domain/central/part-states.ts';
import { CONTENT_REFUSED } from '../../domain/content-check.ts';
import { lockAccount } from '../accounts.ts';
import { resolveCampaignAlerts } from '../campaign-alerts.ts';
import { orderAction } from '../campaign-orders.ts';
import { applyMessageOrders, type MessageOrder } from '../campaign-step/message-orders.ts';
import { lockCampaign } from '../campaigns.ts';
import { actAs, type Trx } from '../database.ts';
import { newId } from '../ids.ts';
import { appendLog } from '../log.ts';
import { listMessages, type Message } from '../messages.ts';
import type { OrderResult } from '../order-rows.ts';
import { readRefusedContent } from '../refused-content.ts';
import { persistingCause } from '../suspend-causes.ts';
import { followWhole } from './follow-whole.ts';
import { messagesOfPart, overdueSince, positionsOf, unansweredOf } from './messages-of-part.ts';
import { refusalToReopen, reopenCentral } from './reopen-central.ts';
import { type PartClock, restartedMessages, schedulesOf } from './restart-part.ts';

/** A parent's wish that the part of one of its sub-accounts is tried again. */
export interface PartRetry {
  /** The parent. */
  readonly accountId: string;
  readonly campaignId: string;
  readonly subAccountId: string;
  readonly actor: Actor;
  /** Campaign time. */
  readonly at: number;
  /** What becomes of messages that became due meanwhile, by the ids of the central campaign's. */
  readonly overdue: readonly MessageOrder[];
}

/** What became of it. */
export type RetryResult =
  | { readonly kind: 'gone' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'persists'; readonly cause: string; readonly reason: string }
  /** Several messages are overdue, or one has expired; these of the central campaign need a word. */
  | { readonly kind: 'overdue'; readonly messageIds: readonly string[] }
  /** Its run has to hear of the action. */
  | { readonly kind: 'resumed'; readonly partId: string; readonly actionId: string }
  /** Its slice has to start its run. */
  | { readonly kind: 'prepared_again'; readonly partId: string; readonly slice: number };

/**
 * Has a part tried again that was suspended or refused for its content: a suspended one is resumed once its cause is gone,
 * a rejected one is prepared anew, and one that a restart has stopped for its content is restarted. A central campaign that was finished without it goes on.
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
  const messages = await listMessages(trx, central.id);
  const retried = { partId, messages, positions: positionsOf(messages) };
  const accounts = { from: retry.accountId, to: retry.subAccountId };
  const result = await actAs(trx, accounts, async (): Promise<RetryResult> => {
    // Whoever leaves or is disabled comes before or after.
    const account = await lockAccount(trx, retry.subAccountId);
    if (account?.parentId !== retry.accountId) return { kind: 'gone' };
    if (account.disabledAt !== null)
      return { kind: 'refused', reason: 'The account is disabled. Enable it first.' };
    if (state === 'rejected') return prepareAgain(trx, retry, { ...retried, slice: part.slice });
    if (state === 'suspended') return resume(trx, retry, retried);
    const clock = { timing: central.timing, timeZone: account.timeZone, at: retry.at };
    return restart(trx, retry, retried, clock);
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
  return `Only a part that is suspended, or whose content was refused, can be tried again. This one is ${state}.`;
}

/** A part, and the central campaign's messages with their places by their ids. */
interface RetriedPart {
  readonly partId: string;
  readonly messages: readonly Message[];
  readonly positions: ReadonlyMap<string, number>;
}

async function resume(trx: Trx, retry: PartRetry, part: RetriedPart): Promise<RetryResult> {
  const { partId } = part;
  const campaign = await lockCampaign(trx, partId);
  if (campaign === null) return { kind: 'gone' };
  const cause = await persistingCause(trx, retry.subAccountId, partId, retry.at, () => null);
  if (cause !== null) return { kind: 'persists', ...cause };
  const overdue = await wordsOnOverdue(trx, retry, part);
  if (overdue.kind === 'overdue') return overdue;
  const order = { campaign, name: 'resume', args: { overdue: overdue.orders }, ...byParent(retry) } as const;
  return resultOf(partId, await orderAction(trx, order));
}

/** Each wish is an order of its own, however often the parent has it. */
function byParent({ actor, at }: PartRetry) {
  return { actor: { ...actor, via: 'parent' as const }, at, byParent: { key: `retry/${newId('act')}` } };
}

function resultOf(partId: string, ordered: OrderResult): RetryResult {
  return ordered.kind === 'refused'
    ? { kind: 'refused', reason: ordered.reason }
    : { kind: 'resumed', partId, actionId: ordered.actionId };
}

/** One that a restart has stopped for its content is restarted, at the times that this had given the whole. */
async function restart(
  trx: Trx,
  retry: PartRetry,
  { messages, partId, positions }: RetriedPart,
  clock: PartClock,
): Promise<RetryResult> {
  const campaign = await lockCampaign(trx, partId);
  if (campaign === null) return { kind: 'gone' };
  const restarted = restartedMessages(await listMessages(trx, partId), messages, clock);
  const unsent = restarted.map(({ message }) => message);
  const refused = await refusedContent(trx, retry, unsent);
  if (refused !== null) return refused;
  const order = { name: 'restart', args: { messages: retry.overdue }, positions };
  const orders = await messagesOfPart(trx, partId, order, retry.at);
  const overdue = restarted.flatMap(({ dueAt, message }) =>
    dueAt <= retry.at ? [overdueSince(message, dueAt)] : [],
  );
  const messageIds = unansweredOf(overdue, orders, positions, retry.at);
  if (messageIds.length > 0) return { kind: 'overdue', messageIds };
  const schedules = schedulesOf(restarted, orders, clock);
  return resultOf(
    partId,
    await orderAction(
      trx,
      {
        campaign,
        name: 'restart',
        args: { messages: [...schedules].map(([messageId, schedule]) => ({ messageId, ...schedule })) },
        ...byParent(retry),
      },
      schedules,
    ),
  );
}

/** Whether it would only be refused again. */
async function refusedContent(
  trx: Trx,
  { at }: PartRetry,
  unsent: readonly Message[],
): Promise<RetryResult | null> {
  const [first] = await readRefusedContent(trx, unsent, at);
  return first === undefined ? null : { kind: 'persists', cause: CONTENT_REFUSED, reason: first.message };
}

/** What is said of the part's messages that are overdue, or which of the central campaign still need a word. */
async function wordsOnOverdue(
  trx: Trx,
  { at, overdue: given }: PartRetry,
  { partId, positions }: RetriedPart,
): Promise<
  | { readonly kind: 'said'; readonly orders: readonly MessageOrder[] }
  | Extract<RetryResult, { kind: 'overdue' }>
> {
  const own = await listMessages(trx, partId);
  const overdue = own.flatMap((message) => {
    const dueAt = message.dueAt?.getTime() ?? Number.POSITIVE_INFINITY;
    const isWaiting = message.status === 'scheduled' || message.status === 'draft';
    return isWaiting && dueAt <= at ? [overdueSince(message, dueAt)] : [];
  });
  const order = { name: 'resume', args: { overdue: given }, positions };
  const orders = await messagesOfPart(trx, partId, order, at);
  const messageIds = unansweredOf(overdue, orders, positions, at);
  return messageIds.length > 0 ? { kind: 'overdue', messageIds } : { kind: 'said', orders };
}

async function prepareAgain(
  trx: Trx,
  retry: PartRetry,
  { slice, ...part }: RetriedPart & { readonly slice: number },
): Promise<RetryResult> {
  const { messages, partId } = part;
  const campaign = await lockCampaign(trx, partId);
  if (campaign === null) return { kind: 'gone' };
  if (campaign.status !== 'rejected') return { kind: 'refused', reason: `It is ${campaign.status} already.` };
  await followWhole(trx, partId, messages, retry.at);
  const unsent = (await listMessages(trx, partId)).filter(({ status }) => status === 'draft');
  const refused = await refusedContent(trx, retry, unsent);
  if (refused !== null) return refused;
  const overdue = await wordsOnOverdue(trx, retry, part);
  if (overdue.kind === 'overdue') return overdue;
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
  await applyMessageOrders(trx, partId, overdue.orders, retry.at);
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

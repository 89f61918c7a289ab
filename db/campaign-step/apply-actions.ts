import { sql } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import { refusalOf } from '../../domain/campaign-actions.ts';
import { type CampaignStatus, isLive } from '../../domain/campaign-status.ts';
import { unfreezeAudience } from '../audience.ts';
import { appendLog } from '../log.ts';
import { resolveCampaignAlerts } from '../campaign-alerts.ts';
import type { Trx } from '../database.ts';
import { liftHolds, showStatus } from '../holds.ts';
import { overdueMessages } from '../overdue-messages.ts';
import { endHold, keepHold, OVERDUE_BEHIND_HOLD, overdueBehind } from '../lift-hold.ts';
import { persistingCause } from '../suspend-causes.ts';
import {
  applyMessageOrders,
  endMessages,
  type MessageOrder,
  parseMessageOrders,
  setNow,
  takeRestartBack,
} from './message-orders.ts';
import { type Standings, wordOf } from './carrier-question.ts';
import { readActionFacts } from './record-signals.ts';
import type { StepInput } from './step-plan.ts';

/** What became of an action. */
export interface ActionAnswer {
  readonly actionId: string;
  readonly state: 'applied' | 'refused';
  readonly reason: string | null;
}

interface ActionRow {
  readonly id: string;
  readonly name: string;
  readonly args: Record<string, unknown>;
  readonly via: string;
  readonly requested_by: string;
  readonly key_id: string | null;
}

/** `cause`: what still suspends the campaign, where that is why. */
type Verdict = { readonly refusal: string | null; readonly cause?: string };
const APPLIED: Verdict = { refusal: null };

/** Applies every action that waits for this campaign, in the order in which they were ordered. */
export async function applyActions(trx: Trx, input: StepInput, standings: Standings): Promise<void> {
  const waiting = await trx
    .selectFrom('actions')
    .where('campaign_id', '=', input.campaignId)
    .where('state', '=', 'requested')
    .select(['id', 'name', 'args', 'via', 'requested_by', 'key_id'])
    .orderBy('id')
    .execute();
  for (const action of waiting) {
    const verdict = await applyAction(trx, input, action, standings);
    if (verdict.refusal !== null) await logRefusal(trx, input, action, verdict.refusal);
    const state = verdict.refusal === null ? 'applied' : 'refused';
    await trx
      .updateTable('actions')
      .set({
        state,
        result: JSON.stringify(
          verdict.refusal === null ? {} : { reason: verdict.refusal, cause: verdict.cause },
        ),
        answered_at: sql<Date>`clock_timestamp()`,
      })
      .where('id', '=', action.id)
      .execute();
  }
}

/** What became of these actions, whenever it was; those that still wait are left out. */
export async function readAnswers(trx: Trx, actionIds: readonly string[]): Promise<ActionAnswer[]> {
  if (actionIds.length === 0) return [];
  const rows = await trx
    .selectFrom('actions')
    .where('id', 'in', actionIds)
    .where('state', '<>', 'requested')
    .select(['id', 'state', 'result'])
    .execute();
  return rows.map((row) => ({
    actionId: row.id,
    state: row.state === 'applied' ? 'applied' : 'refused',
    reason: typeof row.result?.['reason'] === 'string' ? row.result['reason'] : null,
  }));
}

async function applyAction(
  trx: Trx,
  input: StepInput,
  action: ActionRow,
  standings: Standings,
): Promise<Verdict> {
  switch (action.name) {
    case 'resume':
      return resume(trx, input, action, standings);
    case 'start':
      return start(trx, input, action);
    case 'withdraw':
      return withdraw(trx, input, action);
    case 'reschedule':
      return reschedule(trx, input, action);
    case 'restart':
      return restart(trx, input, action, standings);
    case 'lift':
      return lift(trx, input, action);
    case 'stop':
    case 'abort':
    case 'delete':
      // The hold was placed when the action was ordered; what is left is to end the messages. A restart that was
      // ordered meanwhile has ended them itself and given them new schedules.
      if (!(await isOvertaken(trx, input.campaignId, action))) {
        await endMessages(trx, input.campaignId, input.at);
      }
      return APPLIED;
    default:
      // Launch, pause and suspend took effect in the transaction that ordered them.
      return APPLIED;
  }
}

async function isOvertaken(trx: Trx, campaignId: string, action: ActionRow): Promise<boolean> {
  const later = await trx
    .selectFrom('actions')
    .where('campaign_id', '=', campaignId)
    .where('state', '=', 'requested')
    .where('name', '=', 'restart')
    .where('id', '>', action.id)
    .select('id')
    .executeTakeFirst();
  return later !== undefined;
}

async function statusOf(trx: Trx, campaignId: string): Promise<CampaignStatus> {
  const row = await trx
    .selectFrom('campaigns')
    .where('id', '=', campaignId)
    .select('status')
    .executeTakeFirstOrThrow();
  return row.status;
}

async function log(trx: Trx, input: StepInput, action: ActionRow, from: CampaignStatus): Promise<void> {
  await appendLog(trx, {
    accountId: input.accountId,
    campaignId: input.campaignId,
    what: action.name,
    from,
    to: await statusOf(trx, input.campaignId),
    actionId: action.id,
    actor: actorOf(action),
  });
}

/** What was ordered when its status still allowed it, and came to nothing. */
async function logRefusal(trx: Trx, input: StepInput, action: ActionRow, reason: string): Promise<void> {
  await appendLog(trx, {
    accountId: input.accountId,
    campaignId: input.campaignId,
    what: `${action.name}.refused`,
    actionId: action.id,
    actor: actorOf(action),
    detail: { reason },
  });
}

function actorOf(action: ActionRow): Actor {
  return {
    id: action.requested_by,
    via: action.via === 'temporal' ? 'temporal' : 'api',
    ...(action.key_id === null ? {} : { keyId: action.key_id }),
  };
}

async function resume(trx: Trx, input: StepInput, action: ActionRow, standings: Standings): Promise<Verdict> {
  const from = await statusOf(trx, input.campaignId);
  const refusal = refusalOf('resume', await readActionFacts(trx, input.campaignId));
  if (refusal !== null) return { refusal };
  const { accountId, campaignId, at } = input;
  const persisting = await persistingCause(trx, accountId, campaignId, at, wordOf(standings));
  if (persisting !== null) return { refusal: persisting.reason, cause: persisting.cause };
  const orders = parseMessageOrders(action.args['overdue']);
  const overdue = await overdueMessages(trx, input.campaignId, input.at);
  const unanswered = overdue.filter((id) => !orders.some((order) => order.messageId === id));
  if (overdue.length > 1 && unanswered.length > 0) {
    return {
      refusal:
        'More than one message is overdue; say for each whether to send or skip it, or when to send it.',
    };
  }
  await applyMessageOrders(trx, input.campaignId, orders, input.at);
  await liftHolds(trx, input.campaignId, ['pause', 'suspend'], action.id);
  await showStatus(trx, input.campaignId);
  await log(trx, input, action, from);
  return APPLIED;
}

/** A hold on the campaign or on one of its messages. Lifted already, there is nothing left to do. */
async function lift(trx: Trx, input: StepInput, action: ActionRow): Promise<Verdict> {
  const holdId = String(action.args['holdId']);
  const overdue = await overdueBehind(trx, input.campaignId, holdId, input.at);
  if (overdue.length > 1) {
    await keepHold(trx, holdId);
    return { refusal: OVERDUE_BEHIND_HOLD };
  }
  await endHold(trx, holdId, actorOf(action), action.id);
  return APPLIED;
}

async function start(trx: Trx, input: StepInput, action: ActionRow): Promise<Verdict> {
  const from = await statusOf(trx, input.campaignId);
  if (from !== 'ready')
    return { refusal: `It is ${from}; only a campaign that was prepared for later can be started.` };
  const mode = action.args['start'] === 'now' ? 'now' : 'scheduled';
  await trx.updateTable('campaigns').set({ start_mode: mode }).where('id', '=', input.campaignId).execute();
  if (mode === 'now') await setNow(trx, input.campaignId, input.at);
  await showStatus(trx, input.campaignId);
  await log(trx, input, action, from);
  return APPLIED;
}

/**
 * The stop's hold is lifted here, because only the workflow opens a campaign's gate. A cause that suspended the campaign
 * before the stop, and persists, refuses it as it does a resume: the campaign stays stopped.
 */
async function restart(
  trx: Trx,
  input: StepInput,
  action: ActionRow,
  standings: Standings,
): Promise<Verdict> {
  const { accountId, campaignId, at } = input;
  const persisting = await persistingCause(trx, accountId, campaignId, at, wordOf(standings));
  if (persisting !== null) {
    await takeRestartBack(trx, campaignId, at);
    await trx
      .updateTable('campaigns')
      .set((set) => ({ status: 'stopped' as const, version: set('version', '+', 1) }))
      .where('id', '=', campaignId)
      .where('status', '=', 'processing')
      .execute();
    return { refusal: persisting.reason, cause: persisting.cause };
  }
  await liftHolds(trx, input.campaignId, ['stop', 'pause', 'suspend'], action.id);
  await unfreezeAudience(trx, input.campaignId);
  await showStatus(trx, input.campaignId);
  return APPLIED;
}

async function withdraw(trx: Trx, input: StepInput, action: ActionRow): Promise<Verdict> {
  const from = await statusOf(trx, input.campaignId);
  const withdrawn = await trx
    .updateTable('campaigns')
    .set((set) => ({
      status: 'draft' as const,
      start_mode: null,
      prepared_at: null,
      launched_at: null,
      // An operator's word was for the content of then, which may be edited from now on.
      content_overruled_by: null,
      version: set('version', '+', 1),
    }))
    .where('id', '=', input.campaignId)
    .where('status', 'in', ['ready', 'scheduled'])
    .where('ever_leased', '=', false)
    .returning('id')
    .executeTakeFirst();
  if (withdrawn === undefined) return { refusal: `It is ${from}, or somebody may have been texted already.` };
  await resolveCampaignAlerts(trx, input.campaignId, ['hours_changed', 'forecast']);
  await unfreezeAudience(trx, input.campaignId);
  await trx
    .updateTable('messages')
    .set({ status: 'draft', due_at: null, expires_at: null, began_at: null })
    .where('campaign_id', '=', input.campaignId)
    .execute();
  await log(trx, input, action, from);
  return APPLIED;
}

async function reschedule(trx: Trx, input: StepInput, action: ActionRow): Promise<Verdict> {
  const from = await statusOf(trx, input.campaignId);
  if (!isLive(from))
    return { refusal: `It is ${from}; only a launched, unfinished campaign can be rescheduled.` };
  const orders: MessageOrder[] = parseMessageOrders(action.args['messages']);
  if (orders.length === 0) return { refusal: 'No message was named with a new schedule.' };
  const missed = await applyMessageOrders(trx, input.campaignId, orders, input.at);
  if (missed.length > 0) return { refusal: `These messages have begun already: ${missed.join(', ')}.` };
  // Whoever joins the lists until the new time belongs to the audience, as long as nobody was leased.
  await unfreezeAudience(trx, input.campaignId);
  await log(trx, input, action, from);
  return APPLIED;
}

import { type ActionFacts, refusalOf } from '../../domain/campaign-actions.ts';
import { isLive } from '../../domain/campaign-status.ts';
import { unfreezeAudience } from '../audience.ts';
import { resolveCampaignAlerts } from '../campaign-alerts.ts';
import type { Trx } from '../database.ts';
import { liftHolds, showStatus } from '../holds.ts';
import { overdueMessages } from '../overdue-messages.ts';
import { endHold, keepHold, OVERDUE_BEHIND_HOLD, overdueBehind } from '../lift-hold.ts';
import { persistingCause } from '../suspend-causes.ts';
import {
  type ActionRow,
  actorOf,
  answerAction,
  APPLIED,
  isByParent,
  isOvertaken,
  logAction,
  OVERTAKEN_BY_RESTART,
  readWaitingActions,
  statusOf,
  type Verdict,
} from './action-rows.ts';
import {
  applyMessageOrders,
  endMessages,
  type MessageOrder,
  parseMessageOrders,
  refusalOfReschedule,
  setNow,
  takeRestartBack,
} from './message-orders.ts';
import { type Standings, wordOf } from './carrier-question.ts';
import { readActionFacts } from './record-signals.ts';
import type { StepInput } from './step-plan.ts';

/** Applies every action that waits for this campaign, in the order in which they were ordered. */
export async function applyActions(trx: Trx, input: StepInput, standings: Standings): Promise<void> {
  for (const action of await readWaitingActions(trx, input.campaignId)) {
    await answerAction(trx, input, action, await applyAction(trx, input, action, standings));
  }
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
      if (!(await isOvertaken(trx, input, action))) {
        await endMessages(trx, input.campaignId, input.at);
      }
      return APPLIED;
    default:
      // Launch, pause and suspend took effect in the transaction that ordered them.
      return APPLIED;
  }
}

/** What the parent orders of a part counts as a standard campaign's. */
async function factsFor(trx: Trx, input: StepInput, action: ActionRow): Promise<ActionFacts> {
  const facts = await readActionFacts(trx, input.campaignId);
  return isByParent(action) ? { ...facts, role: 'standard' } : facts;
}

async function resume(trx: Trx, input: StepInput, action: ActionRow, standings: Standings): Promise<Verdict> {
  const from = await statusOf(trx, input.campaignId);
  const refusal = refusalOf('resume', await factsFor(trx, input, action));
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
  // What its own people have paused only they resume.
  const kinds = isByParent(action) ? (['suspend'] as const) : (['pause', 'suspend'] as const);
  await liftHolds(trx, input.campaignId, kinds, action.id);
  await showStatus(trx, input.campaignId);
  await logAction(trx, input, action, from);
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
  await logAction(trx, input, action, from);
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
  // A part's own suspension is lifted by itself, and shows again once the parent's stop is gone.
  const persisting = isByParent(action)
    ? null
    : await persistingCause(trx, accountId, campaignId, at, wordOf(standings));
  if (persisting !== null) {
    await takeRestartBack(trx, campaignId, at);
    await trx
      .updateTable('campaigns')
      .set((set) => ({ status: 'stopped' as const, version: set('version', '+', 1) }))
      .where('id', '=', campaignId)
      // Held meanwhile, it shows that in the place of the restart.
      .where('status', 'in', ['processing', 'paused', 'suspended'])
      .execute();
    return { refusal: persisting.reason, cause: persisting.cause };
  }
  const kinds = isByParent(action) ? (['stop'] as const) : (['stop', 'pause', 'suspend'] as const);
  await liftHolds(trx, input.campaignId, kinds, action.id);
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
  await logAction(trx, input, action, from);
  return APPLIED;
}

async function reschedule(trx: Trx, input: StepInput, action: ActionRow): Promise<Verdict> {
  const from = await statusOf(trx, input.campaignId);
  if (!isLive(from))
    return { refusal: `It is ${from}; only a launched, unfinished campaign can be rescheduled.` };
  if (await isOvertaken(trx, input, action)) return { refusal: OVERTAKEN_BY_RESTART };
  const orders: MessageOrder[] = parseMessageOrders(action.args['messages']);
  const refusal = await refusalOfReschedule(trx, input.campaignId, orders);
  // In a part whatever still waits follows its parent, who means the messages of all accounts.
  if (refusal !== null && !isByParent(action)) return { refusal };
  const missed = await applyMessageOrders(trx, input.campaignId, orders, input.at);
  if (refusal !== null && missed.length === orders.length) return { refusal };
  // Whoever joins the lists until the new time belongs to the audience, as long as nobody was leased.
  await unfreezeAudience(trx, input.campaignId);
  await logAction(trx, input, action, from);
  return APPLIED;
}

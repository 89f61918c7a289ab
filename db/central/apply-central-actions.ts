import { sql } from 'kysely';
import { refusalOf } from '../../domain/campaign-actions.ts';
import { isLive } from '../../domain/campaign-status.ts';
import {
  type ActionRow,
  actorOf,
  answerAction,
  APPLIED,
  isOvertaken,
  logAction,
  OVERTAKEN_BY_RESTART,
  readWaitingActions,
  statusOf,
  type Verdict,
} from '../campaign-step/action-rows.ts';
import {
  endMessages,
  type MessageOrder,
  parseMessageOrders,
  refusalOfReschedule,
} from '../campaign-step/message-orders.ts';
import { readActionFacts } from '../campaign-step/record-signals.ts';
import type { Trx } from '../database.ts';
import { liftHolds, showStatus } from '../holds.ts';
import { endHold, keepHold, OVERDUE_BEHIND_HOLD, overdueBehind } from '../lift-hold.ts';
import { overdueMessages } from '../overdue-messages.ts';
import { type CentralStepInput, SLICES_AT_ONCE_MAX, type SliceOrder } from './central-plan.ts';
import { moveMessages } from './move-messages.ts';

/** What is left to do for the actions that wait. */
export interface CentralWork {
  /** What has to be carried out in the parts before the action is. */
  readonly orders: readonly SliceOrder[];
  /** A gate was opened that parts wait for. */
  readonly wakes: boolean;
}

/** What changes rows of the sub-accounts, and so is carried out part by part: behind a gate that is closed, but for a reschedule. */
const FANNED_OUT: readonly string[] = ['stop', 'abort', 'delete', 'restart', 'reschedule'];

/**
 * Carries the actions on that wait for a central campaign, one after the other: what concerns the parts' own rows is
 * handed out slice by slice, and the action is applied once each of them has done it.
 */
export async function applyCentralActions(trx: Trx, input: CentralStepInput): Promise<CentralWork> {
  for (const action of await readWaitingActions(trx, input.campaignId)) {
    const isOnItsWay = await hasBegun(trx, action);
    // Parts that have it already cannot give it back, so the others get it, too, whatever has become of it meanwhile.
    const refused = isOnItsWay ? null : await refuse(trx, input, action);
    if (refused !== null) {
      await answerAction(trx, input, action, refused);
      continue;
    }
    if (isFannedOut(action)) {
      if (!isOnItsWay) {
        await begin(trx, input, action);
        // Parts that are made from here on are made with the new times; those that there are have them from the order.
        await moveMessages(trx, input.campaignId, messageOrdersOf(action), input.at);
      }
      const orders = await openSlices(trx, action);
      if (orders.length > 0) return { orders, wakes: await isWakeOrdered(trx, input) };
    }
    if (await apply(trx, input, action)) await orderWake(trx, input, action);
    await answerAction(trx, input, action, APPLIED);
  }
  return { orders: [], wakes: await isWakeOrdered(trx, input) };
}

/** Waking the parts stands beside an action's slices, so that it is done also when a worker dies after the gate was opened. */
const WAKE = -1;

async function orderWake(trx: Trx, { accountId }: CentralStepInput, { id }: ActionRow): Promise<void> {
  await trx
    .insertInto('action_slices')
    .values({ action_id: id, slice: WAKE, account_id: accountId })
    .execute();
}

async function isWakeOrdered(trx: Trx, { campaignId }: CentralStepInput): Promise<boolean> {
  return (await wakesOf(trx, campaignId)).length > 0;
}

/** The actions for which parts are still to be woken. */
export async function wakesOf(trx: Trx, campaignId: string): Promise<string[]> {
  const rows = await trx
    .selectFrom('action_slices as s')
    .innerJoin('actions as a', 'a.id', 's.action_id')
    .where('a.campaign_id', '=', campaignId)
    .where('s.slice', '=', WAKE)
    .where('s.done_at', 'is', null)
    .select('s.action_id as id')
    .execute();
  return rows.map(({ id }) => id);
}

/** Notes that the parts have been woken for these. */
export async function endWakes(trx: Trx, actionIds: readonly string[]): Promise<void> {
  if (actionIds.length === 0) return;
  await trx
    .updateTable('action_slices')
    .set({ done_at: sql<Date>`clock_timestamp()` })
    .where('action_id', 'in', actionIds)
    .where('slice', '=', WAKE)
    .execute();
}

function isFannedOut(action: ActionRow): boolean {
  if (action.name === 'resume') return parseMessageOrders(action.args['overdue']).length > 0;
  return FANNED_OUT.includes(action.name);
}

/** Whether it was written down in which slices the action is to be carried out. */
async function hasBegun(trx: Trx, { id }: ActionRow): Promise<boolean> {
  const begun = await trx
    .selectFrom('action_slices')
    .where('action_id', '=', id)
    .select('slice')
    .limit(1)
    .executeTakeFirst();
  return begun !== undefined;
}

/** Writes down in which slices the action is to be carried out. */
async function begin(
  trx: Trx,
  { accountId, campaignId }: CentralStepInput,
  { id }: ActionRow,
): Promise<void> {
  await trx
    .insertInto('action_slices')
    .columns(['action_id', 'slice', 'account_id'])
    .expression((db) =>
      db
        .selectFrom('central_parts')
        .where('central_id', '=', campaignId)
        .select((select) => [select.val(id).as('action'), 'slice', select.val(accountId).as('account')])
        .distinct(),
    )
    .execute();
}

/** What a resume or a reschedule says of messages; a restart has given them their times when it was ordered. */
function messageOrdersOf({ name, args }: ActionRow): readonly MessageOrder[] {
  if (name === 'resume') return parseMessageOrders(args['overdue']);
  return name === 'reschedule' ? parseMessageOrders(args['messages']) : [];
}

/** The slices in which the action is not done yet, so many at a time. */
async function openSlices(trx: Trx, { id }: ActionRow): Promise<SliceOrder[]> {
  const open = await trx
    .selectFrom('action_slices')
    .where('action_id', '=', id)
    .where('done_at', 'is', null)
    .where('slice', '<>', WAKE)
    .select('slice')
    .orderBy('slice')
    .limit(SLICES_AT_ONCE_MAX)
    .execute();
  return open.map(({ slice }) => ({ actionId: id, slice }));
}

/** Why an action that was allowed when it was ordered comes to nothing; null when it goes on. */
async function refuse(trx: Trx, input: CentralStepInput, action: ActionRow): Promise<Verdict | null> {
  const { campaignId, at } = input;
  switch (action.name) {
    case 'resume': {
      const refusal = refusalOf('resume', await readActionFacts(trx, campaignId));
      if (refusal !== null) return { refusal };
      const overdue = await overdueMessages(trx, campaignId, at);
      const orders = parseMessageOrders(action.args['overdue']);
      const isAnswered = overdue.every((id) => orders.some((order) => order.messageId === id));
      return overdue.length > 1 && !isAnswered
        ? {
            refusal:
              'More than one message is overdue; say for each whether to send or skip it, or when to send it.',
          }
        : null;
    }
    case 'reschedule':
      if (await isOvertaken(trx, input, action)) return { refusal: OVERTAKEN_BY_RESTART };
      return refuseReschedule(trx, campaignId, parseMessageOrders(action.args['messages']));
    case 'lift': {
      const holdId = String(action.args['holdId']);
      const overdue = await overdueBehind(trx, campaignId, holdId, at);
      if (overdue.length <= 1) return null;
      await keepHold(trx, holdId);
      return { refusal: OVERDUE_BEHIND_HOLD };
    }
    default:
      return null;
  }
}

async function refuseReschedule(
  trx: Trx,
  campaignId: string,
  orders: readonly MessageOrder[],
): Promise<Verdict | null> {
  const status = await statusOf(trx, campaignId);
  if (!isLive(status)) {
    return { refusal: `It is ${status}; only a launched, unfinished campaign can be rescheduled.` };
  }
  const refusal = await refusalOfReschedule(trx, campaignId, orders);
  return refusal === null ? null : { refusal };
}

/** What an action does to the parent's own rows, once the parts have done theirs. Resolves with whether it opens a gate. */
async function apply(trx: Trx, input: CentralStepInput, action: ActionRow): Promise<boolean> {
  const { campaignId, at } = input;
  const from = await statusOf(trx, campaignId);
  switch (action.name) {
    case 'resume':
      await liftHolds(trx, campaignId, ['pause', 'suspend'], action.id);
      await showStatus(trx, campaignId);
      await logAction(trx, input, action, from);
      return true;
    case 'lift':
      await endHold(trx, String(action.args['holdId']), actorOf(action), action.id);
      return true;
    case 'reschedule':
      await logAction(trx, input, action, from);
      return false;
    case 'restart':
      await liftHolds(trx, campaignId, ['stop', 'pause', 'suspend'], action.id);
      await showStatus(trx, campaignId);
      return true;
    case 'stop':
    case 'abort':
    case 'delete':
      if (!(await isOvertaken(trx, input, action))) await endMessages(trx, campaignId, at);
      return false;
    default:
      return false;
  }
}

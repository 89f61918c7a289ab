import { sql } from 'kysely';
import type { Actor } from '../domain/actor.ts';
import { isLive } from '../domain/campaign-status.ts';
import type { Trx } from './database.ts';
import { moveGate } from './gates.ts';
import { showHold } from './show-hold.ts';
import { newId } from './ids.ts';
import { appendLog } from './log.ts';
import { overdueMessages } from './overdue-messages.ts';
import { findHold, type Hold, lockHold, lockStatus, SCOPE } from './placed-holds.ts';

/** What a lift is refused with when more than one message would go out at once. */
export const OVERDUE_BEHIND_HOLD =
  'More than one message became due behind this hold. Pause the campaign, lift the hold, then resume it with a word for each message.';

/** What became of the wish to lift a hold. */
export type LiftResult =
  /** Lifted now or before. Whoever waited for a wide one has to be woken. */
  | { readonly kind: 'lifted'; readonly hold: Hold }
  /** The campaign's workflow lifts it: only that opens its gates. */
  | { readonly kind: 'ordered'; readonly hold: Hold; readonly campaignId: string; readonly actionId: string }
  | { readonly kind: 'gone' | 'of_operator' | 'overdue' }
  /** It belongs to an action, which another action ends. */
  | { readonly kind: 'of_action'; readonly hold: Hold };

/** Lifts a hold, or orders it of the campaign's workflow where one runs. `check` may refuse what was read. */
export async function liftHold(
  trx: Trx,
  id: string,
  by: { readonly actor: Actor; readonly isOperator: boolean; readonly at: number },
  check: (hold: Hold) => void,
): Promise<LiftResult> {
  const seen = await findHold(trx, id);
  if (seen === null) return { kind: 'gone' };
  const status = seen.campaignId === null ? null : await lockStatus(trx, seen.campaignId);
  const hold = await lockHold(trx, id);
  check(hold);
  if (hold.kind !== 'hold') return { kind: 'of_action', hold };
  if (hold.byOperator && !by.isOperator) return { kind: 'of_operator' };
  if (hold.liftedAt !== null) return { kind: 'lifted', hold };
  const { campaignId } = hold;
  if (campaignId === null || status === null || !isLive(status)) {
    await endHold(trx, id, by.actor);
    return { kind: 'lifted', hold: await lockHold(trx, id) };
  }
  if ((await overdueBehind(trx, campaignId, id, by.at)).length > 1) return { kind: 'overdue' };
  const actionId = await orderLift(trx, hold, campaignId, by.actor);
  return { kind: 'ordered', hold: await lockHold(trx, id), campaignId, actionId };
}

/** One action a hold waits at most; an order that was refused before may be given again. */
async function orderLift(trx: Trx, hold: Hold, campaignId: string, actor: Actor): Promise<string> {
  const waiting =
    hold.liftActionId === null
      ? undefined
      : await trx
          .selectFrom('actions')
          .where('id', '=', hold.liftActionId)
          .where('state', '=', 'requested')
          .select('id')
          .executeTakeFirst();
  if (waiting !== undefined) return waiting.id;
  const actionId = newId('act');
  await trx
    .insertInto('actions')
    .values({
      id: actionId,
      account_id: hold.accountId,
      campaign_id: campaignId,
      name: 'lift',
      args: JSON.stringify({ holdId: hold.id }),
      via: actor.via,
      requested_by: actor.id,
      key_id: actor.keyId ?? null,
    })
    .execute();
  await trx
    .updateTable('holds')
    .set((set) => ({ lift_action_id: actionId, version: set('version', '+', 1) }))
    .where('id', '=', hold.id)
    .execute();
  await appendLog(trx, {
    accountId: hold.accountId,
    campaignId,
    subject: { kind: 'hold', id: hold.id },
    what: 'lift.ordered',
    actionId,
    actor,
  });
  return actionId;
}

/** Ends a hold, once, and opens the gate when it was the last. Its campaign's row is locked already. */
export async function endHold(trx: Trx, id: string, actor: Actor, actionId?: string): Promise<void> {
  const ended = await trx
    .updateTable('holds')
    .set((set) => ({
      lifted_at: sql<Date>`clock_timestamp()`,
      lifted_by: actor.id,
      version: set('version', '+', 1),
    }))
    .where('id', '=', id)
    .where('lifted_at', 'is', null)
    .returning(['account_id as accountId', 'scope_id as scopeId', 'campaign_id as campaignId'])
    .returning(SCOPE)
    .executeTakeFirst();
  if (ended === undefined) return;
  await moveGate(trx, ended.scopeId, -1);
  const status = ended.campaignId === null ? null : await lockStatus(trx, ended.campaignId);
  await showHold(trx, 'lift', id, {
    ...ended,
    status,
    actor,
    ...(actionId === undefined ? {} : { actionId }),
  });
}

/** Forgets an order to lift a hold that the workflow has refused. */
export async function keepHold(trx: Trx, id: string): Promise<void> {
  await trx
    .updateTable('holds')
    .set((set) => ({ lift_action_id: null, version: set('version', '+', 1) }))
    .where('id', '=', id)
    .execute();
}

/** Messages that would go out at once if this hold, the last on its campaign, were lifted. */
export async function overdueBehind(
  trx: Trx,
  campaignId: string,
  holdId: string,
  at: number,
): Promise<string[]> {
  const holds = await trx
    .selectFrom('holds')
    .where('scope_id', '=', campaignId)
    .where('lifted_at', 'is', null)
    .select('id')
    .execute();
  const isLast = holds.length === 1 && holds[0]?.id === holdId;
  return isLast ? overdueMessages(trx, campaignId, at) : [];
}

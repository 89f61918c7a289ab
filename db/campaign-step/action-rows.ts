import { sql } from 'kysely';
import { type Actor, viaOf } from '../../domain/actor.ts';
import type { CampaignStatus } from '../../domain/campaign-status.ts';
import type { Trx } from '../database.ts';
import { appendLog } from '../log.ts';

/** What became of an action. */
export interface ActionAnswer {
  readonly actionId: string;
  readonly state: 'applied' | 'refused';
  readonly reason: string | null;
}

/** An action that waits, as it was ordered. */
export interface ActionRow {
  readonly id: string;
  readonly name: string;
  readonly args: Record<string, unknown>;
  readonly via: string;
  readonly requested_by: string;
  readonly key_id: string | null;
}

/** What a step says of an action. `cause`: what still suspends the campaign, where that is why. */
export type Verdict = { readonly refusal: string | null; readonly cause?: string };
export const APPLIED: Verdict = { refusal: null };

/** The campaign of a step. */
interface Acted {
  readonly accountId: string;
  readonly campaignId: string;
}

/**
 * The actions that wait for a campaign, in the order in which they were ordered: by the database's clock, under the lock of
 * the campaign. Their ids are made by the clocks of several processes, which need not agree.
 */
export async function readWaitingActions(trx: Trx, campaignId: string): Promise<ActionRow[]> {
  return trx
    .selectFrom('actions')
    .where('campaign_id', '=', campaignId)
    .where('state', '=', 'requested')
    .select(['id', 'name', 'args', 'via', 'requested_by', 'key_id'])
    .orderBy('requested_at')
    .orderBy('id')
    .execute();
}

/** Writes what became of an action, with a line of the log where it was refused. */
export async function answerAction(
  trx: Trx,
  campaign: Acted,
  action: ActionRow,
  verdict: Verdict,
): Promise<void> {
  if (verdict.refusal !== null) await logRefusal(trx, campaign, action, verdict.refusal);
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

/** The campaign's status as it is written. */
export async function statusOf(trx: Trx, campaignId: string): Promise<CampaignStatus> {
  const row = await trx
    .selectFrom('campaigns')
    .where('id', '=', campaignId)
    .select('status')
    .executeTakeFirstOrThrow();
  return row.status;
}

/** A line that an action was carried out, from one status to the one of now. */
export async function logAction(
  trx: Trx,
  input: Acted,
  action: ActionRow,
  from: CampaignStatus,
): Promise<void> {
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
async function logRefusal(trx: Trx, input: Acted, action: ActionRow, reason: string): Promise<void> {
  await appendLog(trx, {
    accountId: input.accountId,
    campaignId: input.campaignId,
    what: `${action.name}.refused`,
    actionId: action.id,
    actor: actorOf(action),
    detail: { reason },
  });
}

/** Whether the parent of a part has ordered it. */
export function isByParent(action: ActionRow): boolean {
  return action.via === 'parent';
}

/** Who has ordered it. */
export function actorOf(action: ActionRow): Actor {
  return {
    id: action.requested_by,
    via: viaOf(action.via),
    ...(action.key_id === null ? {} : { keyId: action.key_id }),
  };
}

/** Why a reschedule that still waited when a restart was ordered comes to nothing: the times are the restart's. */
export const OVERTAKEN_BY_RESTART = 'It was restarted meanwhile; its messages have the times of the restart.';

/** A restart that was ordered after a stop has ended the messages itself and given them new schedules. */
export async function isOvertaken(trx: Trx, { campaignId }: Acted, action: ActionRow): Promise<boolean> {
  const later = await trx
    .selectFrom('actions')
    .where('campaign_id', '=', campaignId)
    .where('state', '=', 'requested')
    .where('name', '=', 'restart')
    .where('requested_at', '>', (actions) =>
      actions.selectFrom('actions').where('id', '=', action.id).select('requested_at'),
    )
    .select('id')
    .executeTakeFirst();
  return later !== undefined;
}

import { sql } from 'kysely';
import type { Actor } from '../domain/actor.ts';
import type { CampaignActionName } from '../domain/campaign-actions.ts';
import {
  type CampaignStatus,
  type HoldKind,
  type StatusReason,
  statusOfHolds,
  statusOfProgress,
} from '../domain/campaign-status.ts';
import { remedyOfSuspension } from '../domain/suspension.ts';
import { raiseAlert } from './alerts.ts';
import { resolveCampaignAlerts } from './campaign-alerts.ts';
import { appendLog } from './log.ts';
import type { Trx } from './database.ts';
import { moveGate } from './gates.ts';
import { newId } from './ids.ts';
import { inFlight } from './in-flight.ts';

/** A hold to place on a campaign. */
export interface HoldRequest {
  readonly accountId: string;
  readonly campaignId: string;
  readonly kind: HoldKind;
  readonly cause: string | null;
  readonly reason: string;
  /** What the text costs for which there was no money. */
  readonly textMicroUsd?: number;
  readonly actor: Actor;
  readonly actionId?: string;
}

/**
 * Closes a campaign's gate and shows the gravest hold as its status, in one transaction. After it commits no
 * lease is opened; resolves with how many recipients of open leases may still be on their way.
 */
export async function holdCampaign(trx: Trx, request: HoldRequest): Promise<number> {
  const { campaignId } = request;
  const before = await lockCampaignStatus(trx, campaignId);
  // One that an order which waits is going to lift does not count: this hold comes after that order.
  const repeated = await trx
    .selectFrom('holds')
    .where('scope_id', '=', campaignId)
    .where('kind', '=', request.kind)
    .where('cause', 'is not distinct from', request.cause)
    .where('lifted_at', 'is', null)
    .where((where) => where.not(isToBeLifted(campaignId, ['resume', 'restart'])))
    .select('id')
    .executeTakeFirst();
  if (repeated === undefined) {
    await trx
      .insertInto('holds')
      .values({
        id: newId('hld'),
        account_id: request.accountId,
        scope: 'campaign',
        scope_id: campaignId,
        campaign_id: campaignId,
        kind: request.kind,
        cause: request.cause,
        reason: request.reason,
        text_micro_usd: request.textMicroUsd ?? null,
        placed_by: request.actor.id,
      })
      .execute();
    await moveGate(trx, campaignId, 1);
    const status = await showStatus(trx, campaignId);
    await appendLog(trx, {
      accountId: request.accountId,
      campaignId,
      what: request.kind,
      from: before,
      to: status,
      actor: request.actor,
      ...(request.actionId === undefined ? {} : { actionId: request.actionId }),
      detail: { reason: request.reason, ...(request.cause === null ? {} : { cause: request.cause }) },
    });
  }
  await alertOf(trx, request);
  return inFlight(trx, { scope: 'campaign', scopeId: campaignId });
}

/** What nobody has to care about while the campaign is stopped. */
const OVER_ONCE_STOPPED = ['suspension', 'hours_changed', 'forecast', 'content_rejected'] as const;

/** A suspension needs somebody until the campaign is resumed, stopped or aborted. */
async function alertOf(trx: Trx, request: HoldRequest): Promise<void> {
  const { accountId, campaignId } = request;
  if (request.kind === 'stop') await resolveCampaignAlerts(trx, campaignId, OVER_ONCE_STOPPED);
  if (request.kind === 'abort') await resolveCampaignAlerts(trx, campaignId);
  if (request.kind !== 'suspend') return;
  await raiseAlert(trx, {
    accountId,
    kind: 'suspension',
    severity: 'critical',
    subject: { kind: 'campaign', id: campaignId },
    campaignId,
    cause: request.cause ?? 'suspended',
    reason: request.reason,
    remedy: remedyOfSuspension(request.cause),
  });
}

/**
 * Lifts the campaign's holds of these kinds and opens its gate when none is left; what was placed after the action
 * was ordered stays. Only the workflow's step calls it.
 */
export async function liftHolds(
  trx: Trx,
  campaignId: string,
  kinds: readonly HoldKind[],
  actionId: string,
): Promise<void> {
  const lifted = await trx
    .updateTable('holds')
    .set({ lifted_at: sql<Date>`clock_timestamp()` })
    .where('scope_id', '=', campaignId)
    .where('kind', 'in', kinds)
    .where('lifted_at', 'is', null)
    .where('placed_at', '<=', (actions) =>
      actions.selectFrom('actions').where('id', '=', actionId).select('requested_at'),
    )
    .returning('id')
    .execute();
  if (lifted.length > 0) await moveGate(trx, campaignId, -lifted.length);
  if (kinds.includes('suspend')) await resolveCampaignAlerts(trx, campaignId, ['suspension']);
}

/** Of a hold: that one of these orders waits which came after it, and which will lift it. */
function isToBeLifted(campaignId: string, names: readonly CampaignActionName[]) {
  return sql<boolean>`exists (select from actions a where a.campaign_id = ${campaignId}
    and a.state = 'requested' and a.name = any(${[...names]}::text[]) and a.requested_at > holds.placed_at)`;
}

/**
 * What holds a campaign itself now. A stop counts no more once a restart is ordered: the campaign is under way again, and
 * whoever holds it before its workflow has lifted the stop holds it by that, so that another stop finds it so.
 */
async function holdsOf(
  trx: Trx,
  campaignId: string,
): Promise<{ kind: string; cause: string | null; reason: string }[]> {
  return trx
    .selectFrom('holds')
    .where('scope_id', '=', campaignId)
    .where('lifted_at', 'is', null)
    .where((where) =>
      where.not(where.and([where('kind', '=', 'stop'), isToBeLifted(campaignId, ['restart'])])),
    )
    .select(['kind', 'cause', 'reason'])
    .orderBy('placed_at')
    .execute();
}

/**
 * Writes the status that holds and progress give a prepared campaign. Where it is held that is done also when it stays, since
 * by what may have changed, which the parent of a part is shown. Resolves with the status.
 */
export async function showStatus(trx: Trx, campaignId: string): Promise<CampaignStatus> {
  const holds = await holdsOf(trx, campaignId);
  const held = statusOfHolds(holds.map((hold) => hold.kind));
  const progress = await readProgress(trx, campaignId);
  const status = held ?? (progress.isPrepared ? statusOfProgress(progress) : 'processing');
  const reasons: StatusReason[] =
    status === 'suspended'
      ? holds
          .filter((hold) => hold.kind === 'suspend')
          .map((hold) => ({ code: hold.cause ?? 'suspended', message: hold.reason }))
      : [];
  await trx
    .updateTable('campaigns')
    .set((set) => ({
      status,
      status_reasons: JSON.stringify(reasons),
      version: sql<number>`version + ${set.or([set('status', '<>', status), set('status', '<>', 'paused')])}::int`,
    }))
    .where('id', '=', campaignId)
    .where((where) =>
      where.or([where('status', '<>', status), where('status', 'in', ['paused', 'suspended'])]),
    )
    .execute();
  return status;
}

async function readProgress(
  trx: Trx,
  campaignId: string,
): Promise<{ isPrepared: boolean; isStarted: boolean; isTexting: boolean; hasBegun: boolean }> {
  const campaign = await trx
    .selectFrom('campaigns')
    .where('id', '=', campaignId)
    .select(['start_mode as startMode', 'prepared_at as preparedAt'])
    .executeTakeFirstOrThrow();
  const messages = await trx
    .selectFrom('messages')
    .where('campaign_id', '=', campaignId)
    .select(['status', 'texting', 'began_at as beganAt'])
    .execute();
  return {
    isPrepared: campaign.preparedAt !== null,
    isStarted: campaign.startMode !== 'later',
    isTexting: messages.some((message) => message.texting),
    hasBegun: messages.some((message) => message.beganAt !== null),
  };
}

async function lockCampaignStatus(trx: Trx, campaignId: string): Promise<CampaignStatus> {
  const row = await trx
    .selectFrom('campaigns')
    .where('id', '=', campaignId)
    .select('status')
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  return row.status;
}

import type { Actor } from '../../domain/actor.ts';
import { type ActionFacts, refusalOf, roleOf } from '../../domain/campaign-actions.ts';
import type { CampaignStatus } from '../../domain/campaign-status.ts';
import { noteHeldSince } from '../central/held-since.ts';
import { noteReachedAccounts } from '../central/reached-accounts.ts';
import { appendLog } from '../log.ts';
import type { Trx } from '../database.ts';
import { holdCampaign } from '../holds.ts';
import { newId } from '../ids.ts';
import { openEndsOfCampaign } from '../report-counters.ts';
import type { SignalRequest, StepInput } from './step-plan.ts';

const TEMPORAL: Actor = { id: 'temporal', via: 'temporal' };
const HOLD_OF = { pause: 'pause', stop: 'stop', abort: 'abort', suspend: 'suspend' } as const;

/**
 * A signal from Temporal's UI or CLI becomes an action row like any other, with the hold it places. What the
 * status does not allow is noted in the log and does nothing.
 */
export async function recordSignals(trx: Trx, input: StepInput): Promise<void> {
  for (const signal of input.signals) {
    const known = await trx
      .selectFrom('actions')
      .where('signal_key', '=', signal.key)
      .select('id')
      .executeTakeFirst();
    if (known === undefined) await recordSignal(trx, input, signal);
  }
}

async function recordSignal(trx: Trx, input: StepInput, signal: SignalRequest): Promise<void> {
  const facts = await readActionFacts(trx, input.campaignId);
  const refusal = refusalOf(signal.name, facts);
  const actionId = newId('act');
  await trx
    .insertInto('actions')
    .values({
      id: actionId,
      account_id: input.accountId,
      campaign_id: input.campaignId,
      name: signal.name,
      args: JSON.stringify(signal.args),
      state: refusal === null ? 'requested' : 'refused',
      result: refusal === null ? null : JSON.stringify({ reason: refusal }),
      via: TEMPORAL.via,
      requested_by: TEMPORAL.id,
      signal_key: signal.key,
    })
    .execute();
  if (refusal !== null) {
    await appendLog(trx, {
      accountId: input.accountId,
      campaignId: input.campaignId,
      what: `${signal.name}.ignored`,
      actionId,
      actor: TEMPORAL,
      detail: { status: facts.status },
    });
    return;
  }
  if (
    signal.name === 'pause' ||
    signal.name === 'stop' ||
    signal.name === 'abort' ||
    signal.name === 'suspend'
  ) {
    await noteHeldSince(trx, input.campaignId, input.at);
    await holdCampaign(trx, {
      accountId: input.accountId,
      campaignId: input.campaignId,
      kind: HOLD_OF[signal.name],
      cause: signal.name === 'suspend' ? 'operator' : null,
      reason: 'Ordered in Temporal.',
      actor: TEMPORAL,
      actionId,
    });
  }
  if (facts.role === 'central') {
    await noteReachedAccounts(trx, input.campaignId, { id: actionId, name: signal.name, state: 'requested' });
  }
}

/** What the rules need to know of a campaign, read under the lock of this transaction. */
export async function readActionFacts(
  trx: Trx,
  campaignId: string,
): Promise<ActionFacts & { status: CampaignStatus }> {
  const campaign = await trx
    .selectFrom('campaigns')
    .where('id', '=', campaignId)
    .select(['kind', 'central_id', 'status', 'archived_at', 'ever_leased'])
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  const unsent = await trx
    .selectFrom('messages')
    .where('campaign_id', '=', campaignId)
    .where('status', '=', 'scheduled')
    .select('id')
    .limit(1)
    .executeTakeFirst();
  const holds = await trx
    .selectFrom('holds')
    .where('scope_id', '=', campaignId)
    .where('lifted_at', 'is', null)
    .select('kind')
    .execute();
  return {
    isPart: campaign.central_id !== null,
    role: roleOf({ kind: campaign.kind, centralId: campaign.central_id }),
    status: campaign.status,
    isArchived: campaign.archived_at !== null,
    everLeased: campaign.ever_leased,
    hasUnsentMessage: unsent !== undefined,
    missing: [],
    repeatable:
      campaign.status === 'finished' ? await openEndsOfCampaign(trx, campaignId) : { failed: 0, unknown: 0 },
    holds: holds.map((hold) => hold.kind),
  };
}

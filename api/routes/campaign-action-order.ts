import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Static, TSchema } from 'typebox';
import { findAccount } from '../../db/accounts.ts';
import { orderAction } from '../../db/campaign-orders.ts';
import type { NewSchedules } from '../../db/order-rows.ts';
import { readActionFacts } from '../../db/campaign-step/record-signals.ts';
import { lockCentralOf } from '../../db/central/overrule-part.ts';
import { type Campaign, lockCampaign, raiseCampaignVersion } from '../../db/campaigns.ts';
import { findAction } from '../../db/actions.ts';
import { type Trx, withAccount } from '../../db/database.ts';
import { listMessages } from '../../db/messages.ts';
import {
  allowancesOf,
  type CampaignActionName,
  refusalOf,
  roleOf,
  STOPPING_ACTIONS,
} from '../../domain/campaign-actions.ts';
import type { AccountClock } from '../../domain/launch-check.ts';
import type { LaunchOrder } from '../../domain/review/planned-messages.ts';
import { runOf } from '../campaign-runs.ts';
import type { ApiDeps } from '../deps.ts';
import { checkIfMatch } from '../etag.ts';
import { idempotent } from '../idempotency.ts';
import { causePersists, notFound, Problem } from '../problem.ts';
import type { ActionOutput } from '../schemas/action-schemas.ts';
import { missingOf } from '../views/campaign-view.ts';
import { type Check, refuseIssues } from './campaign-action-checks.ts';
import { checkReviewToken } from './review-token.ts';

/** What one action checks and keeps, besides what its status allows. */
export interface ActionRules<Schema extends TSchema> {
  readonly name: CampaignActionName;
  /** Refuses with a problem; the status has been checked before. */
  readonly check?: (check: Check<Static<Schema>>) => Promise<void> | void;
  /** What is kept with the order. */
  readonly args?: (body: Static<Schema>) => Record<string, unknown>;
  readonly schedules?: (body: Static<Schema>) => NewSchedules;
  /** What is reviewed before it, if it sets a campaign going. */
  readonly reviewed?: (body: Static<Schema>) => {
    readonly order: LaunchOrder;
    readonly token: string | undefined;
  };
}

/**
 * Orders an action: a row first, then the workflow is told. 200 once it is applied, 202 with the action's URL when
 * the workflow has not answered within its time. Throws a Problem when the status or a rule refuses it.
 */
export async function carryOut<Schema extends TSchema>(
  deps: ApiDeps,
  request: FastifyRequest<{ Params: { id: string } }>,
  reply: FastifyReply,
  route: ActionRules<Schema>,
  input: Static<Schema>,
): Promise<Static<typeof ActionOutput>> {
  const { accountId, actor } = request.caller;
  const { id } = request.params;
  const { body: order } = await idempotent(deps, request, reply, async (trx) => {
    const partOf = route.name === 'overrule' ? await lockCentralOf(trx, accountId, id) : null;
    const campaign = await lockCampaign(trx, id);
    if (campaign === null) throw notFound('campaign');
    checkIfMatch(request, campaign.version);
    const messages = await listMessages(trx, id);
    const now = deps.now();
    const missing = route.name === 'launch' ? missingOf(campaign, messages) : [];
    await refuseStatus(trx, campaign, route.name);
    refuseIssues(missing);
    await route.check?.({ trx, campaign, messages, clock: await clockOf(trx, accountId), body: input, now });
    const reviewed = route.reviewed?.(input);
    if (reviewed !== undefined) await checkReviewToken(trx, campaign, reviewed.order, reviewed.token, now);
    const args = {
      ...route.args?.(input),
      ...(reviewed?.token === undefined ? {} : { reviewToken: reviewed.token }),
    };
    const result = await orderAction(
      trx,
      { campaign, name: route.name, args, actor, at: now },
      route.schedules?.(input),
    );
    if (result.kind === 'refused') throw new Problem('action-not-allowed', result.reason);
    await raiseCampaignVersion(trx, campaign);
    return {
      status: result.state === 'applied' ? 200 : 202,
      body: {
        id: result.actionId,
        state: result.state,
        inFlight: result.inFlight,
        accounts: result.accounts,
        role: roleOf(campaign),
        ...(partOf === null ? {} : { partOf }),
      },
    };
  });
  // It may have been finished, and goes on with the part that is let pass; repair wakes it where nobody answers.
  const { partOf } = order;
  if (partOf !== undefined)
    await deps.workflows.wakeCentral(partOf.parentId, partOf.centralId).catch(() => undefined);
  if (STOPPING_ACTIONS.includes(route.name)) deps.crash('hold.committed');
  const url = `/v1/campaigns/${id}/actions/${order.id}`;
  const { inFlight, accounts } = order;
  const answer = { id: order.id, action: route.name, inFlight, accounts, url };
  if (order.state === 'applied') return { ...answer, state: 'applied', reason: null };
  const reply3s = await runOf(deps, order.role).apply(accountId, id, order.id);
  if (reply3s === null) {
    reply.code(202);
    return { ...answer, state: 'requested', reason: null };
  }
  if (reply3s.state === 'refused') throw await refusedProblem(deps, accountId, id, order.id);
  reply.code(200);
  return { ...answer, state: 'applied', reason: null };
}

/** Why the workflow has refused an action, by its row. */
async function refusedProblem(
  deps: ApiDeps,
  accountId: string,
  campaignId: string,
  actionId: string,
): Promise<Problem> {
  const action = await withAccount(deps.db, accountId, (trx) => findAction(trx, campaignId, actionId));
  const { reason, cause } = action?.result ?? {};
  const words = typeof reason === 'string' ? reason : 'It was refused.';
  return typeof cause === 'string' ? causePersists(cause, words) : new Problem('action-not-allowed', words);
}

/** The clock by which the schedules of an account are looked at. */
export async function clockOf(trx: Trx, accountId: string): Promise<AccountClock> {
  const account = await findAccount(trx, accountId);
  if (account === null) throw notFound('account');
  return { timeZone: account.timeZone, quietHours: { start: account.quietStart, end: account.quietEnd } };
}

/** Refuses what the campaign's status does not allow, with what it allows. */
export async function refuseStatus(trx: Trx, campaign: Campaign, name: CampaignActionName): Promise<void> {
  const facts = await readActionFacts(trx, campaign.id);
  const reason = refusalOf(name, facts);
  if (reason === null) return;
  const allowed = allowancesOf(facts)
    .filter((one) => one.allowed)
    .map((one) => one.name);
  throw new Problem('action-not-allowed', reason, { allowed });
}

import { type Static, Type } from 'typebox';
import { type Campaign, findCampaign } from '../../db/campaigns.ts';
import { readCentralReview } from '../../db/central/review/read-central-review.ts';
import { insertReviewParts, listReviewParts } from '../../db/central/review/review-parts.ts';
import { type Trx, withAccountReading } from '../../db/database.ts';
import { appendLog } from '../../db/log.ts';
import { listMessages, type Message } from '../../db/messages.ts';
import { readReview } from '../../db/review/read-review.ts';
import { insertReview } from '../../db/review/reviews.ts';
import { roleOf } from '../../domain/campaign-actions.ts';
import type { PartReview } from '../../domain/central/part-review.ts';
import type { LaunchIssue } from '../../domain/launch-check.ts';
import type { LaunchOrder } from '../../domain/review/planned-messages.ts';
import type { ReviewFacts } from '../../domain/review/review-facts.ts';
import { toOffsetString } from '../../domain/zoned-time.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { idempotent } from '../idempotency.ts';
import { pageOf, PageQuery, rangeOf, toPage } from '../pages.ts';
import { notFound, Problem, problems } from '../problem.ts';
import { requireCentralSend } from '../require-central-send.ts';
import { idOf, idParams } from '../schemas/common.ts';
import { PartReviewOutput, ReviewInput, ReviewOutput } from '../schemas/review-schemas.ts';
import { readViewClock } from '../views/campaign-view.ts';
import { centralReviewView, partReviewView } from '../views/central-review-view.ts';
import { readReviewView } from '../views/review-view.ts';
import { centralRefusals } from './central-refusals.ts';
import { checkSchedulable } from './campaign-action-checks.ts';
import { refuseStatus } from './campaign-action-order.ts';
import { refusalsOf } from './review-refusals.ts';

/** How long somebody may look before he launches: figures and times are those of the moment. */
const VALID_MS = 60 * 60_000;

/** What a launch, a start, a restart or a round would do, before it does it. */
export function registerReviewRoutes(api: Api, deps: ApiDeps): void {
  api.post(
    '/v1/campaigns/:id/review',
    {
      schema: {
        operationId: 'reviewCampaign',
        summary: 'Review before a launch or a round',
        description:
          'Who would get what, when and for how much, and what does not fit. Its token lets the action pass only while that still holds.',
        tags: ['actions'],
        params: idParams('cmp'),
        body: ReviewInput,
        response: { 200: ReviewOutput, ...problems(404, 409, 422) },
      },
    },
    async (request, reply) => {
      const { accountId, actor } = request.caller;
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const campaign = await findCampaign(trx, request.params.id);
        if (campaign === null) throw notFound('campaign');
        const messages = await listMessages(trx, campaign.id);
        const order = await orderOf(trx, campaign, messages, request.body);
        const at = deps.now();
        const { facts, refusals, view, timeZone, parts } = await readAny(trx, campaign, messages, order, at);
        const expiresAt = new Date(at + VALID_MS);
        const token =
          refusals.length > 0
            ? null
            : await insertReview(trx, {
                accountId,
                campaignId: campaign.id,
                facts,
                createdBy: actor.id,
                expiresAt,
              });
        if (token !== null && parts !== null) await insertReviewParts(trx, accountId, token, parts);
        await appendLog(trx, {
          accountId,
          campaignId: campaign.id,
          what: 'review',
          actor,
          detail: {
            review: token,
            recipients: facts.recipients,
            costMicroUsd: facts.costMicroUsd,
            refusals: refusals.map((refusal) => refusal.code),
          },
        });
        const tokenExpiresAt = token === null ? null : toOffsetString(expiresAt.getTime(), timeZone);
        return {
          status: 200,
          body: { token, tokenExpiresAt, action: order.action, ...view, refusals: [...refusals] },
        };
      });
      return body;
    },
  );

  api.get(
    '/v1/campaigns/:id/reviews/:reviewId/accounts',
    {
      schema: {
        operationId: 'listReviewAccounts',
        summary: 'List the accounts of a review',
        description: 'Plan figures of each account of a central campaign, as they were when it was reviewed.',
        tags: ['actions'],
        params: Type.Object({ id: idOf('cmp'), reviewId: idOf('rvw') }),
        querystring: PageQuery,
        response: { 200: pageOf(PartReviewOutput), ...problems(404) },
      },
    },
    async (request) => {
      const range = rangeOf(request.query);
      const { id: campaignId, reviewId } = request.params;
      const { items, total } = await withAccountReading(deps.db, request.caller.accountId, (trx) =>
        listReviewParts(trx, { id: reviewId, campaignId }, range),
      );
      if (total === 0) throw notFound('review of a central campaign');
      return toPage(items.map(partReviewView), total, range);
    },
  );
}

/** What a review says, of whichever kind the campaign is. */
interface AnyReview {
  readonly facts: ReviewFacts;
  readonly refusals: readonly LaunchIssue[];
  readonly view: Omit<Static<typeof ReviewOutput>, 'token' | 'tokenExpiresAt' | 'action' | 'refusals'>;
  /** Of the account whose campaign it is. */
  readonly timeZone: string;
  /** Of a central campaign: the plan figures of each account. */
  readonly parts: readonly PartReview[] | null;
}

async function readAny(
  trx: Trx,
  campaign: Campaign,
  messages: readonly Message[],
  order: LaunchOrder,
  at: number,
): Promise<AnyReview> {
  if (roleOf(campaign) === 'central') {
    await requireCentralSend(trx, campaign.accountId);
    const review = await readCentralReview(trx, campaign, order, at);
    const { timeZone } = await readViewClock(trx, campaign.accountId, at);
    const refusals = await centralRefusals(trx, campaign, messages, review, order, at);
    const view = centralReviewView(campaign, review, timeZone);
    return { facts: review.facts, refusals, view, timeZone, parts: review.parts };
  }
  const review = await readReview(trx, campaign, order, at);
  const refusals = await refusalsOf(trx, campaign, messages, review, order, at);
  const view = await readReviewView(trx, campaign, review, at);
  const { timeZone } = review.settings.account;
  return { facts: review.facts, refusals, view, timeZone, parts: null };
}

/** The action that the campaign's status allows, with what the body gives for it. */
async function orderOf(
  trx: Trx,
  campaign: Campaign,
  messages: readonly Message[],
  input: ReviewInput,
): Promise<LaunchOrder> {
  if (campaign.status === 'finished' || input.round !== undefined) return roundOf(trx, campaign, input);
  const action = campaign.status === 'stopped' ? 'restart' : campaign.status === 'ready' ? 'start' : 'launch';
  await refuseStatus(trx, campaign, action);
  const wanted = action === 'restart' ? 'messages' : 'start';
  const unwanted = action === 'restart' ? 'start' : 'messages';
  if (input[wanted] === undefined || input[unwanted] !== undefined) {
    throw new Problem('not-acceptable-value', `A ${action} is reviewed with ${wanted} and nothing else.`, {
      errors: [
        input[wanted] === undefined
          ? { pointer: `/${wanted}`, message: `Say ${WANTED[wanted]}.` }
          : { pointer: `/${unwanted}`, message: 'Leave it out.' },
      ],
    });
  }
  if (action !== 'restart') return { action, start: input.start ?? 'scheduled' };
  const schedules = input.messages ?? [];
  checkSchedulable(schedules, messages, ['cancelled', 'cut']);
  return { action, schedules: new Map(schedules.map((one) => [one.messageId, one.schedule])) };
}

/** A finished campaign has rounds and nothing else. */
async function roundOf(trx: Trx, campaign: Campaign, input: ReviewInput): Promise<LaunchOrder> {
  const { round } = input;
  const errors = [
    ...(round === undefined ? [{ pointer: '/round', message: `Say ${WANTED.round}.` }] : []),
    ...(['start', 'messages'] as const)
      .filter((name) => input[name] !== undefined)
      .map((name) => ({ pointer: `/${name}`, message: 'Leave it out.' })),
  ];
  if (round === undefined || errors.length > 0) {
    throw new Problem('not-acceptable-value', 'A round is reviewed with its kind and nothing else.', {
      errors,
    });
  }
  await refuseStatus(trx, campaign, round);
  return { action: round };
}

const WANTED = {
  round: 'retry_failed or resend_unknown',
  start: 'now, scheduled or later',
  messages: 'which messages are to be sent, and when',
} as const;

import { type Campaign, findCampaign } from '../../db/campaigns.ts';
import type { Trx } from '../../db/database.ts';
import { appendLog } from '../../db/log.ts';
import { listMessages, type Message } from '../../db/messages.ts';
import { readReview } from '../../db/review/read-review.ts';
import { insertReview } from '../../db/review/reviews.ts';
import type { LaunchOrder } from '../../domain/review/planned-messages.ts';
import { toOffsetString } from '../../domain/zoned-time.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { idempotent } from '../idempotency.ts';
import { notFound, Problem, problems } from '../problem.ts';
import { idParams } from '../schemas/common.ts';
import { ReviewInput, ReviewOutput } from '../schemas/review-schemas.ts';
import { readReviewView } from '../views/review-view.ts';
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
        const review = await readReview(trx, campaign, order, at);
        const refusals = await refusalsOf(trx, campaign, messages, review, order, at);
        const view = await readReviewView(trx, campaign, review, at);
        const expiresAt = new Date(at + VALID_MS);
        const token =
          refusals.length > 0
            ? null
            : await insertReview(trx, {
                accountId,
                campaignId: campaign.id,
                facts: review.facts,
                createdBy: actor.id,
                expiresAt,
              });
        await appendLog(trx, {
          accountId,
          campaignId: campaign.id,
          what: 'review',
          actor,
          detail: {
            review: token,
            recipients: review.recipients,
            costMicroUsd: review.costMicroUsd,
            refusals: refusals.map((refusal) => refusal.code),
          },
        });
        const tokenExpiresAt =
          token === null ? null : toOffsetString(expiresAt.getTime(), review.settings.account.timeZone);
        return { status: 200, body: { token, tokenExpiresAt, action: order.action, ...view, refusals } };
      });
      return body;
    },
  );
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

import { Type } from 'typebox';
import { parseMessageOrders } from '../../db/campaign-step/message-orders.ts';
import { findCampaign, lockCampaign } from '../../db/campaigns.ts';
import { listParts, type ListedPart } from '../../db/central/list-parts.ts';
import { retryPart, type RetryResult } from '../../db/central/retry-part.ts';
import { withAccount } from '../../db/database.ts';
import { enabledOf } from '../../db/sub-accounts.ts';
import { roleOf } from '../../domain/campaign-actions.ts';
import {
  BY_PARENT,
  isPartRetryable,
  PART_STATES,
  wordsOfPartReason,
} from '../../domain/central/part-states.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { checkIfMatch } from '../etag.ts';
import { idempotent } from '../idempotency.ts';
import { Q, severalOf } from '../list-query.ts';
import { PageQuery, pageOf, rangeOf, toPage } from '../pages.ts';
import { causePersists, notFound, Problem, problems } from '../problem.ts';
import { requireCentralSend } from '../require-central-send.ts';
import { RetryAccountInput } from '../schemas/action-schemas.ts';
import { idOf, idParams, INSTANT, nullable, oneOf } from '../schemas/common.ts';
import { clockOf } from './campaign-action-order.ts';
import { ordersOfWords, refuseSchedulesOfWords, wordsMissing } from './campaign-action-checks.ts';

const State = oneOf(PART_STATES, {
  description:
    'waiting: not handed over yet. handed_over: a campaign of the account. done: everybody has been dealt with.',
});
const CampaignAccountOutput = Type.Object({
  accountId: idOf('acc'),
  name: nullable(
    Type.String({ description: 'Null where it had left by the launch.', examples: ['Harbour Bakery Reno'] }),
  ),
  timeZone: nullable(Type.String({ examples: ['America/Los_Angeles'] })),
  campaignId: nullable(
    Type.String({
      description: "The account's own campaign, with its own report; null until it is handed over.",
      examples: ['cmp_01m86mtaj9fzxvj3x8dcj53g4n'],
    }),
  ),
  state: State,
  reason: nullable(
    Type.Object(
      {
        code: Type.String({ examples: ['no_sender'] }),
        message: Type.String({ examples: [wordsOfPartReason('no_sender') ?? ''] }),
      },
      { description: 'Why it stands so.' },
    ),
  ),
  canRetry: Type.Boolean({
    description: 'Whether it may be tried again: its account is enabled, and it waits for nobody else.',
    examples: [true],
  }),
  endedAt: nullable(INSTANT),
});
const RetryOutput = Type.Object({
  accountId: idOf('acc'),
  state: oneOf(['requested', 'applied'], { description: 'applied: it goes on. requested: it does so soon.' }),
});
const CampaignAccountQuery = Type.Object(
  { ...PageQuery.properties, q: Q, state: severalOf(State, { maxItems: PART_STATES.length }) },
  { additionalProperties: false },
);

/** The accounts of a central campaign, as far as the parent may see how they stand. */
export function registerCentralAccountRoutes(api: Api, deps: ApiDeps): void {
  api.get(
    '/v1/campaigns/:id/accounts',
    {
      schema: {
        operationId: 'listCampaignAccounts',
        summary: 'List the accounts of a central campaign',
        description:
          'How the part of each stands, and why: never how many people it has or what became of them. Each account has its own report.',
        tags: ['campaigns'],
        params: idParams('cmp'),
        querystring: CampaignAccountQuery,
        response: { 200: pageOf(CampaignAccountOutput), ...problems(404, 409) },
      },
    },
    async (request) => {
      const range = rangeOf(request.query);
      const { q, state } = request.query;
      const { items, total } = await withAccount(deps.db, request.caller.accountId, async (trx) => {
        const campaign = await findCampaign(trx, request.params.id);
        if (campaign === null) throw notFound('campaign');
        if (roleOf(campaign) !== 'central') {
          throw new Problem(
            'not-interchangeable',
            'Only a central campaign is sent by other accounts. Name one.',
          );
        }
        const parts = await listParts(trx, campaign.id, {
          ...(q === undefined ? {} : { q }),
          ...(state === undefined ? {} : { states: state }),
          ...range,
        });
        const enabled = await enabledOf(
          trx,
          parts.items.map((part) => part.accountId),
        );
        return { ...parts, items: parts.items.map((part) => partView(part, enabled.has(part.accountId))) };
      });
      return toPage(items, total, range);
    },
  );

  api.post(
    '/v1/campaigns/:id/accounts/:accountId/retry',
    {
      config: { scope: 'send' },
      preValidation: async (request) => {
        // Where no more than one message is overdue, and has not expired, there is nothing to say.
        request.body ??= {};
      },
      schema: {
        operationId: 'retryCampaignAccount',
        summary: 'Try an account of a central campaign again',
        description:
          'A part that was suspended goes on where it stopped, once its cause is gone; one that was rejected is prepared anew, once its content is refused no more. If more than one message became due meanwhile, each needs a word, as does one that has expired by then. Nobody is texted twice.',
        tags: ['actions'],
        params: Type.Object({ id: idOf('cmp'), accountId: idOf('acc') }),
        body: RetryAccountInput,
        response: { 200: RetryOutput, 202: RetryOutput, ...problems(404, 409, 412, 422) },
      },
    },
    async (request, reply) => {
      const { id: campaignId, accountId: subAccountId } = request.params;
      const { accountId, actor } = request.caller;
      const words = request.body.overdue;
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const campaign = await lockCampaign(trx, campaignId);
        if (campaign === null) throw notFound('campaign');
        checkIfMatch(request, campaign.version);
        await requireCentralSend(trx, accountId);
        const at = deps.now();
        const clock = await clockOf(trx, accountId);
        await refuseSchedulesOfWords({ trx, campaign, clock, now: at }, words, subAccountId);
        const overdue = parseMessageOrders(ordersOfWords(words));
        const result = await retryPart(trx, { accountId, campaignId, subAccountId, actor, at, overdue });
        return { status: 202, body: refuseRetry(result) };
      });
      if (body.kind === 'resumed') {
        const answer = await deps.workflows.applyAction(subAccountId, body.partId, body.actionId);
        if (answer !== null) {
          if (answer.state === 'refused') {
            throw new Problem('action-not-allowed', answer.reason ?? 'It was refused.');
          }
          reply.code(200);
          return { accountId: subAccountId, state: 'applied' as const };
        }
      } else if (!(await deps.workflows.lookAtSlice(campaignId, body.slice).catch(() => true))) {
        // It was finished: its run starts the slice, and that the part.
        await deps.workflows.wakeCentral(accountId, campaignId).catch(() => undefined);
      }
      return { accountId: subAccountId, state: 'requested' as const };
    },
  );
}

function refuseRetry(result: RetryResult): Extract<RetryResult, { kind: 'resumed' | 'prepared_again' }> {
  switch (result.kind) {
    case 'resumed':
    case 'prepared_again':
      return result;
    case 'gone':
      throw new Problem(
        'not-found',
        'No such account has a part in such a campaign of this account. Check both ids and the key.',
      );
    case 'refused':
      throw new Problem('action-not-allowed', result.reason);
    case 'overdue':
      throw wordsMissing(result.messageIds);
    case 'persists':
      throw causePersists(result.cause, result.reason);
  }
}

function partView({ endedAt, isHeld, ...part }: ListedPart, isEnabled: boolean) {
  const code = part.reason ?? (isHeld ? BY_PARENT : null);
  return {
    ...part,
    reason: code === null ? null : { code, message: wordsOfPartReason(code) ?? '' },
    canRetry: isEnabled && isPartRetryable(part.state, part.reason),
    endedAt: endedAt?.toISOString() ?? null,
  };
}

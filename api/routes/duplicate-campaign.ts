import { Type } from 'typebox';
import { type Campaign, lockCampaign } from '../../db/campaigns.ts';
import { duplicateCampaign } from '../../db/duplicate-campaign.ts';
import { CAMPAIGN_KINDS, type CampaignKind } from '../../domain/campaign-status.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { idempotent } from '../idempotency.ts';
import { notFound, Problem, problems } from '../problem.ts';
import { requireCentralSend } from '../require-central-send.ts';
import { CampaignOutput } from '../schemas/campaign-schemas.ts';
import { idParams, oneOf } from '../schemas/common.ts';
import { readCampaignView, readViewClock } from '../views/campaign-view.ts';

const DuplicateInput = Type.Object(
  {
    kind: Type.Optional(
      oneOf(CAMPAIGN_KINDS, { description: 'The kind of the copy, which is that of the campaign.' }),
    ),
  },
  { additionalProperties: false },
);

/** Duplicates of a campaign, as drafts. */
export function registerDuplicateRoute(api: Api, deps: ApiDeps): void {
  api.post(
    '/v1/campaigns/:id/duplicate',
    {
      config: { scope: 'write' },
      preValidation: async (request) => {
        request.body ??= {};
      },
      schema: {
        operationId: 'duplicateCampaign',
        summary: 'Duplicate as a draft',
        description:
          "Named 'Copy of …', without schedules and acknowledgement. A central campaign copies to a central one only, a standard one to a standard one.",
        body: DuplicateInput,
        tags: ['actions'],
        params: idParams('cmp'),
        response: { 201: CampaignOutput, ...problems(404, 409, 422) },
      },
    },
    async (request, reply) => {
      const { accountId, actor } = request.caller;
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const campaign = await lockCampaign(trx, request.params.id);
        if (campaign === null) throw notFound('campaign');
        refuseOtherKind(campaign, request.body.kind);
        if (campaign.kind === 'central') await requireCentralSend(trx, accountId);
        const copy = await duplicateCampaign(trx, campaign, actor);
        return {
          status: 201,
          body: await readCampaignView(trx, copy, await readViewClock(trx, accountId, deps.now())),
        };
      });
      return body;
    },
  );
}

function refuseOtherKind(campaign: Campaign, kind: CampaignKind | undefined): void {
  if (campaign.centralId !== null) {
    throw new Problem(
      'not-interchangeable',
      `It was sent by ${campaign.parentName ?? 'the parent'}, who alone can copy it. Create a campaign of your own.`,
    );
  }
  if (kind === undefined || kind === campaign.kind) return;
  throw new Problem(
    'not-interchangeable',
    `A ${campaign.kind} campaign copies to a ${campaign.kind} one only.`,
    { errors: [{ pointer: '/kind', message: `Leave it out, or create a ${kind} campaign.` }] },
  );
}

import { lockCampaign } from '../../db/campaigns.ts';
import { duplicateCampaign } from '../../db/duplicate-campaign.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { idempotent } from '../idempotency.ts';
import { notFound, problems } from '../problem.ts';
import { CampaignOutput } from '../schemas/campaign-schemas.ts';
import { idParams } from '../schemas/common.ts';
import { readCampaignView, readViewClock } from '../views/campaign-view.ts';

/** Duplicates of a campaign, as drafts. */
export function registerDuplicateRoute(api: Api, deps: ApiDeps): void {
  api.post(
    '/v1/campaigns/:id/duplicate',
    {
      config: { scope: 'write' },
      schema: {
        operationId: 'duplicateCampaign',
        summary: 'Duplicate as a draft',
        description: "Named 'Copy of …', without schedules and acknowledgement.",
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

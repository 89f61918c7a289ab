import type { Api, ApiDeps } from '../deps.ts';
import { problems } from '../problem.ts';
import { ActionOutput, RoundInput } from '../schemas/action-schemas.ts';
import { idParams } from '../schemas/common.ts';
import { carryOut } from './campaign-action-order.ts';

/** Rounds: extra passes over a finished campaign's failed or unknown recipients. */
export function registerRoundRoute(api: Api, deps: ApiDeps): void {
  api.post(
    '/v1/campaigns/:id/rounds',
    {
      config: { scope: 'send' },
      schema: {
        operationId: 'orderRound',
        summary: 'Try failed or unknown recipients of a finished campaign again',
        description:
          'Exactly those who are so when it is ordered, under all rules as ever. The campaign is started until the round is over.',
        tags: ['actions'],
        params: idParams('cmp'),
        body: RoundInput,
        response: { 200: ActionOutput, 202: ActionOutput, ...problems(404, 409, 412, 422) },
      },
    },
    async (request, reply) => {
      const { kind, reviewToken: token } = request.body;
      const reviewed = () => ({ order: { action: kind }, token });
      return carryOut(deps, request, reply, { name: kind, reviewed }, request.body);
    },
  );
}

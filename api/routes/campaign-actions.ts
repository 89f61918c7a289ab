import { type Static, type TSchema, Type } from 'typebox';
import { type Action, findAction } from '../../db/actions.ts';
import { type Trx, withAccount } from '../../db/database.ts';
import { inFlight } from '../../db/in-flight.ts';
import type { Scope } from '../../db/make-api-key.ts';
import type { NewSchedules } from '../../db/order-rows.ts';
import { STOPPING_ACTIONS } from '../../domain/campaign-actions.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { notFound, Problem, problems } from '../problem.ts';
import {
  ActionOutput,
  ActionRecordOutput,
  LaunchInput,
  ReasonInput,
  RestartInput,
  ResumeInput,
  SchedulesInput,
  StartInput,
} from '../schemas/action-schemas.ts';
import { idOf, idParams } from '../schemas/common.ts';
import { actorView } from '../views/log-view.ts';
import {
  checkLaunch,
  checkRestart,
  checkResume,
  checkSchedules,
  checkStart,
  ordersOfWords,
} from './campaign-action-checks.ts';
import { type ActionRules, carryOut } from './campaign-action-order.ts';

interface ActionRoute<Schema extends TSchema> extends ActionRules<Schema> {
  readonly summary: string;
  readonly description: string;
  readonly scope: Scope;
  readonly body: Schema;
}

const Nothing = Type.Object({}, { additionalProperties: false });

/** What steers a campaign. Every action is a row first, so that stopping never needs the engine. */
export function registerCampaignActionRoutes(api: Api, deps: ApiDeps): void {
  addAction(api, deps, {
    name: 'launch',
    summary: 'Launch a draft',
    description: 'At once, at its first schedule, or prepare only.',
    scope: 'send',
    body: LaunchInput,
    check: checkLaunch,
    args: (body) => ({ start: body.start }),
    reviewed: ({ start, reviewToken: token }) => ({ order: { action: 'launch', start }, token }),
  });
  addAction(api, deps, {
    name: 'start',
    summary: 'Start a prepared campaign',
    description: 'At once, or at its first schedule.',
    scope: 'send',
    body: StartInput,
    check: checkStart,
    args: (body) => ({ start: body.start }),
    reviewed: ({ start, reviewToken: token }) => ({ order: { action: 'start', start }, token }),
  });
  addAction(api, deps, {
    name: 'withdraw',
    summary: 'Withdraw a campaign that has not begun',
    description: 'It becomes a draft again.',
    scope: 'send',
    body: Nothing,
  });
  addAction(api, deps, {
    name: 'pause',
    summary: 'Pause',
    description:
      'Takes effect at once, also while the engine is down. `inFlight` names what may still go out.',
    scope: 'send',
    body: ReasonInput,
    args: (body) => ({ ...body }),
  });
  addAction(api, deps, {
    name: 'resume',
    summary: 'Resume',
    description:
      'With a word for each message that became due meanwhile, if there is more than one. Refused while what suspended it persists, or its sender is reported as spam too often; what only the carrier can tell (credit, credentials, a disabled account) is asked of it first.',
    scope: 'send',
    body: ResumeInput,
    check: checkResume,
    args: (body) => ({ overdue: ordersOfWords(body.overdue) }),
  });
  addAction(api, deps, {
    name: 'stop',
    summary: 'Stop',
    description: "Unsent messages' schedules are cancelled. A restart goes on with the rest.",
    scope: 'send',
    body: ReasonInput,
    args: (body) => ({ ...body }),
  });
  addAction(api, deps, {
    name: 'restart',
    summary: 'Restart a stopped campaign',
    description:
      'With new schedules for its unsent messages; nothing else can be changed. Refused, as a resume is, while what suspended it before the stop persists.',
    scope: 'send',
    body: RestartInput,
    check: checkRestart,
    args: (body) => ({ messages: body.messages.map(flat) }),
    schedules: schedulesOf,
    reviewed: (body) => ({
      order: { action: 'restart', schedules: schedulesOf(body) },
      token: body.reviewToken,
    }),
  });
  addAction(api, deps, {
    name: 'abort',
    summary: 'Abort, for good',
    description: 'Nothing of it is ever sent again.',
    scope: 'send',
    body: ReasonInput,
    args: (body) => ({ ...body }),
  });
  addAction(api, deps, {
    name: 'reschedule',
    summary: 'Give unsent messages new schedules',
    description: 'Also while it runs. A message that has begun cannot be moved.',
    scope: 'write',
    body: SchedulesInput,
    check: (check) => checkSchedules(check, ['scheduled']),
    args: (body) => ({ messages: body.messages.map(flat) }),
  });
  addAction(api, deps, {
    name: 'suspend',
    summary: 'Suspend',
    description: 'As a limit would: a hold of its own, beside a pause. It is resumed as any suspension is.',
    scope: 'send',
    body: ReasonInput,
    args: (body) => ({ ...body }),
  });
  addAction(api, deps, {
    name: 'overrule',
    summary: 'Overrule the content check',
    description: "With an operator's key only.",
    scope: 'send',
    body: Nothing,
  });
  for (const name of ['archive', 'unarchive'] as const) {
    addAction(api, deps, {
      name,
      summary: name === 'archive' ? 'Archive' : 'Take out of the archive',
      description: 'Archived campaigns are hidden from the list unless asked for.',
      scope: 'write',
      body: Nothing,
    });
  }
  addDelete(api, deps);
  addActionReading(api, deps);
}

function schedulesOf({ messages }: Static<typeof SchedulesInput>): NewSchedules {
  return new Map(messages.map((one) => [one.messageId, one.schedule]));
}

function flat(one: { messageId: string; schedule: { local: string; zone: string } }) {
  return { messageId: one.messageId, local: one.schedule.local, zone: one.schedule.zone };
}

function addAction<Schema extends TSchema>(api: Api, deps: ApiDeps, route: ActionRoute<Schema>): void {
  api.post<{ Params: { id: string }; Body: unknown }>(
    `/v1/campaigns/:id/${route.name}`,
    {
      config: { scope: route.scope },
      preValidation: async (request) => {
        // An action without arguments may be ordered without a body.
        request.body ??= {};
      },
      schema: {
        operationId: `${route.name}Campaign`,
        summary: route.summary,
        description: route.description,
        tags: ['actions'],
        params: idParams('cmp'),
        body: route.body,
        response: { 200: ActionOutput, 202: ActionOutput, ...problems(404, 409, 412, 422) },
      },
    },
    async (request, reply) => {
      if (route.name === 'overrule' && !request.caller.isOperator) {
        throw new Problem(
          'scope-missing',
          "Only an operator overrules the content check. Use an operator's key, or edit the campaign.",
        );
      }
      // The route's schema has checked the body, so it has this shape.
      const body = request.body as Static<Schema>;
      return carryOut(deps, request, reply, route, body);
    },
  );
}

function addDelete(api: Api, deps: ApiDeps): void {
  api.delete(
    '/v1/campaigns/:id',
    {
      config: { scope: 'write' },
      schema: {
        operationId: 'deleteCampaign',
        summary: 'Delete a campaign',
        description: 'A live one is aborted first. Its ledger stays and its name is free.',
        tags: ['actions'],
        params: idParams('cmp'),
        response: { 200: ActionOutput, 202: ActionOutput, ...problems(404, 412) },
      },
    },
    async (request, reply) => carryOut(deps, request, reply, { name: 'delete' }, {}),
  );
}

function addActionReading(api: Api, deps: ApiDeps): void {
  api.get(
    '/v1/campaigns/:id/actions/:actionId',
    {
      config: { forParents: 'reports' },
      schema: {
        operationId: 'getAction',
        summary: 'What became of an action',
        description: 'Where the answer of an action points: to be asked for what was answered with 202.',
        tags: ['actions'],
        params: Type.Object({ id: idOf('cmp'), actionId: idOf('act') }),
        response: { 200: ActionRecordOutput, ...problems(404) },
      },
    },
    async (request) => {
      const { id, actionId } = request.params;
      const read = await withAccount(deps.db, request.caller.accountId, async (trx) => {
        const action = await findAction(trx, id, actionId);
        return action === null ? null : { ...action, inFlight: await inFlightOf(trx, action) };
      });
      if (read === null) throw notFound('action');
      const reason = read.result?.['reason'];
      return {
        id: read.id,
        action: read.name,
        state: stateOf(read.state),
        reason: typeof reason === 'string' ? reason : null,
        inFlight: read.inFlight,
        accounts: read.accounts,
        url: `/v1/campaigns/${id}/actions/${read.id}`,
        by: actorView(read.requestedBy, read.requestedByName, read.via),
        via: read.via,
        requestedAt: read.requestedAt.toISOString(),
        answeredAt: read.answeredAt?.toISOString() ?? null,
      };
    },
  );
}

/** What is still on its way of a campaign whose gate the action has closed, as it is now. */
async function inFlightOf(trx: Trx, action: Action): Promise<number | null> {
  if (action.accounts !== null) return null;
  const isStopping = STOPPING_ACTIONS.some((name) => name === action.name);
  return isStopping ? inFlight(trx, { scope: 'campaign', scopeId: action.campaignId }) : 0;
}

function stateOf(state: string): 'requested' | 'applied' | 'refused' {
  return state === 'applied' || state === 'refused' ? state : 'requested';
}

import { type Static, type TSchema, Type } from 'typebox';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { findAccount } from '../../db/accounts.ts';
import { findAction } from '../../db/actions.ts';
import { type NewSchedules, orderAction } from '../../db/campaign-orders.ts';
import { overdueMessages } from '../../db/campaign-step/apply-actions.ts';
import { readActionFacts } from '../../db/campaign-step/record-signals.ts';
import { type Campaign, lockCampaign } from '../../db/campaigns.ts';
import { type Trx, withAccount } from '../../db/database.ts';
import { duplicateCampaign } from '../../db/duplicate-campaign.ts';
import { listMessages, type Message } from '../../db/messages.ts';
import { persistingCause } from '../../db/suspend-causes.ts';
import { allowancesOf, type CampaignActionName, refusalOf } from '../../domain/campaign-actions.ts';
import { type AccountClock, type LaunchIssue, scheduleIssues } from '../../domain/launch-check.ts';
import type { Scope } from '../../db/make-api-key.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { checkIfMatch } from '../etag.ts';
import { idempotent } from '../idempotency.ts';
import { notFound, Problem, problems } from '../problem.ts';
import {
  ActionOutput,
  CampaignOutput,
  LaunchInput,
  ReasonInput,
  ResumeInput,
  SchedulesInput,
  StartInput,
} from '../schemas/campaign-schemas.ts';
import { idOf, idParams } from '../schemas/common.ts';
import { missingOf, readCampaignView, readViewClock } from '../views/campaign-view.ts';

/** What an action's own rules look at, and what they may refuse. */
interface Check<Body> {
  readonly trx: Trx;
  readonly campaign: Campaign;
  readonly messages: readonly Message[];
  readonly clock: AccountClock;
  readonly body: Body;
  readonly now: number;
}

interface ActionRoute<Schema extends TSchema> {
  readonly name: CampaignActionName;
  readonly summary: string;
  readonly description: string;
  readonly scope: Scope;
  readonly body: Schema;
  /** Refuses with a problem; the status has been checked before. */
  readonly check?: (check: Check<Static<Schema>>) => Promise<void> | void;
  /** What is kept with the order. */
  readonly args?: (body: Static<Schema>) => Record<string, unknown>;
  readonly schedules?: (body: Static<Schema>) => NewSchedules;
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
  });
  addAction(api, deps, {
    name: 'start',
    summary: 'Start a prepared campaign',
    description: 'At once, or at its first schedule.',
    scope: 'send',
    body: StartInput,
    check: ({ body, now, clock, messages }) =>
      refuseIssues(scheduleIssues(body.start, now, clock, schedulesOf(messages))),
    args: (body) => ({ start: body.start }),
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
    description: 'With a word for each message that became due meanwhile, if there is more than one.',
    scope: 'send',
    body: ResumeInput,
    check: checkResume,
    args: (body) => ({ overdue: (body.overdue ?? []).map((one) => ('do' in one ? one : flat(one))) }),
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
    description: 'With new schedules for its unsent messages; nothing else can be changed.',
    scope: 'send',
    body: SchedulesInput,
    check: (check) => checkSchedules(check, ['cancelled', 'cut']),
    args: (body) => ({ messages: body.messages.map(flat) }),
    schedules: (body) => new Map(body.messages.map((one) => [one.messageId, one.schedule])),
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
    description: 'As a limit would, ordered by an operator.',
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
  addDuplicate(api, deps);
  addActionReading(api, deps);
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
        throw new Problem('scope-missing', "Only an operator's key can overrule the content check.");
      }
      // The route's schema has checked the body, so it has this shape.
      const body = request.body as Static<Schema>;
      return carryOut(deps, request, reply, route, body);
    },
  );
}

async function carryOut<Schema extends TSchema>(
  deps: ApiDeps,
  request: FastifyRequest<{ Params: { id: string } }>,
  reply: FastifyReply,
  route: Pick<ActionRoute<Schema>, 'name' | 'check' | 'args' | 'schedules'>,
  input: Static<Schema>,
): Promise<Static<typeof ActionOutput>> {
  const { accountId, actor } = request.caller;
  const { id } = request.params;
  const { body: order } = await idempotent(deps, request, reply, async (trx) => {
    const campaign = await lockCampaign(trx, id);
    if (campaign === null) throw notFound('campaign');
    checkIfMatch(request, campaign.version);
    const messages = await listMessages(trx, id);
    const now = deps.now();
    const missing = route.name === 'launch' ? missingOf(campaign, messages) : [];
    await refuseStatus(trx, campaign, route.name);
    refuseIssues(missing);
    await route.check?.({ trx, campaign, messages, clock: await clockOf(trx, accountId), body: input, now });
    const args = route.args?.(input) ?? {};
    const result = await orderAction(
      trx,
      { campaign, name: route.name, args, actor, at: now },
      route.schedules?.(input),
    );
    if (result.kind === 'refused') throw new Problem('action-not-allowed', result.reason);
    return {
      status: result.state === 'applied' ? 200 : 202,
      body: { id: result.actionId, state: result.state, inFlight: result.inFlight },
    };
  });
  const url = `/v1/campaigns/${id}/actions/${order.id}`;
  const answer = { id: order.id, action: route.name, inFlight: order.inFlight, url };
  if (order.state === 'applied') return { ...answer, state: 'applied', reason: null };
  const reply3s = await deps.workflows.applyAction(accountId, id, order.id);
  if (reply3s === null) {
    reply.code(202);
    return { ...answer, state: 'requested', reason: null };
  }
  if (reply3s.state === 'refused')
    throw new Problem('action-not-allowed', reply3s.reason ?? 'It was refused.');
  reply.code(200);
  return { ...answer, state: 'applied', reason: null };
}

async function clockOf(trx: Trx, accountId: string): Promise<AccountClock> {
  const account = await findAccount(trx, accountId);
  if (account === null) throw notFound('account');
  return { timeZone: account.timeZone, quietHours: { start: account.quietStart, end: account.quietEnd } };
}

async function refuseStatus(trx: Trx, campaign: Campaign, name: CampaignActionName): Promise<void> {
  const facts = await readActionFacts(trx, campaign.id);
  const reason = refusalOf(name, facts);
  if (reason === null) return;
  const allowed = allowancesOf(facts)
    .filter((one) => one.allowed)
    .map((one) => one.name);
  throw new Problem('action-not-allowed', reason, { allowed });
}

function refuseIssues(issues: readonly LaunchIssue[]): void {
  const [first] = issues;
  if (first === undefined) return;
  const errors = issues.map((issue) => ({ ...issue }));
  if (first.code === 'quiet-hours') throw new Problem('quiet-hours', first.message, { errors });
  if (first.code === 'missing') {
    throw new Problem('not-launchable', 'Something is missing; each is named with how to give it.', {
      errors,
    });
  }
  throw new Problem('schedule-refused', 'A schedule is refused; each is named with how to mend it.', {
    errors,
  });
}

function schedulesOf(messages: readonly Message[]) {
  return messages.map((message, index) => ({
    pointer: `/messages/${index}/schedule`,
    schedule:
      message.scheduleLocal === null || message.scheduleZone === null
        ? null
        : { local: message.scheduleLocal, zone: message.scheduleZone },
  }));
}

async function checkLaunch({
  trx,
  campaign,
  messages,
  clock,
  body,
  now,
}: Check<Static<typeof LaunchInput>>): Promise<void> {
  refuseIssues(scheduleIssues(body.start, now, clock, schedulesOf(messages)));
  const sender = await trx
    .selectFrom('senders')
    .where('id', '=', campaign.senderId)
    .select('supports_mms')
    .executeTakeFirst();
  const withMedia = messages.findIndex((message) => message.mediaIds.length > 0);
  if (withMedia !== -1 && sender?.supports_mms !== true) {
    throw new Problem('not-launchable', 'The sender cannot send MMS.', {
      errors: [
        {
          pointer: `/messages/${withMedia}/mediaIds`,
          message: 'Remove the media, or choose a sender that can send MMS.',
        },
      ],
    });
  }
}

async function checkResume({
  trx,
  campaign,
  clock,
  body,
  now,
}: Check<Static<typeof ResumeInput>>): Promise<void> {
  const persisting = await persistingCause(trx, campaign.accountId, campaign.id, now);
  if (persisting !== null) throw new Problem('cause-persists', persisting);
  const overdue = await overdueMessages(trx, campaign.id, now);
  const given = body.overdue ?? [];
  const unanswered = overdue.filter((id) => !given.some((one) => one.messageId === id));
  if (overdue.length > 1 && unanswered.length > 0) {
    throw new Problem(
      'overdue-messages',
      'More than one message became due meanwhile. Say for each: send, skip, or a new schedule.',
      {
        errors: unanswered.map((id) => ({ pointer: '/overdue', message: `Say what becomes of ${id}.` })),
      },
    );
  }
  const schedules = given.flatMap((one, index) =>
    'do' in one ? [] : [{ pointer: `/overdue/${index}/schedule`, schedule: one.schedule }],
  );
  refuseIssues(scheduleIssues('scheduled', now, clock, schedules));
}

function checkSchedules(
  { messages, clock, body, now }: Check<Static<typeof SchedulesInput>>,
  statuses: readonly Message['status'][],
): void {
  for (const [index, one] of body.messages.entries()) {
    const message = messages.find((candidate) => candidate.id === one.messageId);
    if (message !== undefined && statuses.includes(message.status)) continue;
    throw new Problem('schedule-refused', 'A message that is named cannot be given a schedule now.', {
      errors: [
        {
          pointer: `/messages/${index}/messageId`,
          message:
            message === undefined
              ? 'It is no message of this campaign.'
              : `It is ${message.status}. Leave it out.`,
        },
      ],
    });
  }
  const schedules = body.messages.map((one, index) => ({
    pointer: `/messages/${index}/schedule`,
    schedule: one.schedule,
  }));
  refuseIssues(scheduleIssues('scheduled', now, clock, schedules));
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

function addDuplicate(api: Api, deps: ApiDeps): void {
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
        response: { 201: CampaignOutput, ...problems(404) },
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

function addActionReading(api: Api, deps: ApiDeps): void {
  api.get(
    '/v1/campaigns/:id/actions/:actionId',
    {
      schema: {
        operationId: 'getAction',
        summary: 'What became of an action',
        tags: ['actions'],
        params: Type.Object({ id: idOf('cmp'), actionId: idOf('act') }),
        response: { 200: ActionOutput, ...problems(404) },
      },
    },
    async (request) => {
      const { id, actionId } = request.params;
      const action = await withAccount(deps.db, request.caller.accountId, (trx) =>
        findAction(trx, id, actionId),
      );
      if (action === null) throw notFound('action');
      const reason = action.result?.['reason'];
      return {
        id: action.id,
        action: action.name,
        state: stateOf(action.state),
        reason: typeof reason === 'string' ? reason : null,
        inFlight: 0,
        url: `/v1/campaigns/${id}/actions/${action.id}`,
      };
    },
  );
}

function stateOf(state: string): 'requested' | 'applied' | 'refused' {
  return state === 'applied' || state === 'refused' ? state : 'requested';
}

import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { readRole } from '../../db/campaigns.ts';
import { type Trx, withAccount } from '../../db/database.ts';
import { inFlight } from '../../db/in-flight.ts';
import { liftHold, type LiftResult, OVERDUE_BEHIND_HOLD } from '../../db/lift-hold.ts';
import { placeHold } from '../../db/place-hold.ts';
import { findHold, type Hold, listHolds } from '../../db/placed-holds.ts';
import { wakeAfterHold } from '../../db/wake-after-hold.ts';
import type { CampaignRole } from '../../domain/campaign-actions.ts';
import { HOLDS_OF_SCOPE_MAX, INSTALLATION, isWide } from '../../domain/hold.ts';
import { type Caller, OPERATOR } from '../authentication.ts';
import { runOf } from '../campaign-runs.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { checkIfMatch, setEtag } from '../etag.ts';
import { idempotent } from '../idempotency.ts';
import { pageOf, rangeOf, toPage } from '../pages.ts';
import { notFound, Problem, problems, unknownReference } from '../problem.ts';
import { idParams } from '../schemas/common.ts';
import { HoldInput, HoldListItemOutput, HoldOutput, HoldQuery } from '../schemas/hold-schemas.ts';

const params = idParams('hld');

/** Holds: close a gate for the installation, the account, a sender, a campaign or a message, and open it again. */
export function registerHoldRoutes(api: Api, deps: ApiDeps): void {
  api.post(
    '/v1/holds',
    {
      config: { scope: 'send', orInstallation: true },
      schema: {
        operationId: 'placeHold',
        summary: 'Hold: nothing is sent from now on',
        description:
          'Takes effect at once, also while the engine is down. 202 while texts of before are on their way: `inFlight` is the most that still goes out. Each hold is lifted by itself.',
        tags: ['holds'],
        body: HoldInput,
        response: { 201: HoldOutput, 202: HoldOutput, ...problems(409, 422) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      const scopeId = scopeIdOf(request.caller, request.body);
      let isRunning = false;
      let role: CampaignRole | null = null;
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const placed = await place(trx, request.caller, { ...request.body, scopeId, at: deps.now() });
        isRunning = placed.isRunning;
        role = await roleOfHeld(trx, placed.body.campaignId);
        return placed;
      });
      deps.crash('hold.committed');
      if (isRunning && body.campaignId !== null) {
        // Whoever is not reached now sees the closed gate at his next lease or waking. A draft and what rests have no
        // run, and would be given one that ends at once.
        runOf(deps, role)
          .wake(accountId, body.campaignId)
          .catch(() => undefined);
      }
      return body;
    },
  );

  api.get(
    '/v1/holds',
    {
      config: { scope: 'read', orInstallation: true, forParents: 'reports' },
      schema: {
        operationId: 'listHolds',
        summary: 'List holds',
        description:
          "The newest first: holds, pauses, stops and suspensions of the account, or the installation's.",
        tags: ['holds'],
        querystring: HoldQuery,
        response: { 200: pageOf(HoldListItemOutput), ...problems() },
      },
    },
    async (request) => {
      const { scope, scopeId, state } = request.query;
      const range = rangeOf(request.query);
      const { items, total } = await withAccount(deps.db, request.caller.accountId, (trx) =>
        listHolds(trx, {
          ...(scope === undefined ? {} : { scope }),
          ...(scopeId === undefined ? {} : { scopeId }),
          ...(state === undefined ? {} : { isLifted: state === 'lifted' }),
          ...range,
        }),
      );
      return toPage(items.map(fieldsOf), total, range);
    },
  );

  api.get(
    '/v1/holds/:id',
    {
      config: { scope: 'read', orInstallation: true, forParents: 'reports' },
      schema: {
        operationId: 'getHold',
        summary: 'Read a hold',
        description: 'With how many texts of before it are still on their way.',
        tags: ['holds'],
        params,
        response: { 200: HoldOutput, ...problems(404) },
      },
    },
    async (request, reply) =>
      withAccount(deps.db, request.caller.accountId, async (trx) => {
        const hold = await findHold(trx, request.params.id);
        if (hold === null) throw notFound('hold');
        setEtag(reply, hold.version);
        return readView(trx, hold);
      }),
  );

  api.delete(
    '/v1/holds/:id',
    {
      config: { scope: 'send', orInstallation: true },
      schema: {
        operationId: 'liftHold',
        summary: 'Lift a hold',
        description:
          'Others on the same scope stay. A campaign goes on where it stood; 202 when its workflow has not answered yet.',
        tags: ['holds'],
        params,
        response: { 200: HoldOutput, 202: HoldOutput, ...problems(404, 409, 412) },
      },
    },
    (request, reply) => lift(deps, request, reply),
  );
}

/** The role of the campaign that a hold keeps; null where it keeps something wider. */
async function roleOfHeld(trx: Trx, campaignId: string | null): Promise<CampaignRole | null> {
  return campaignId === null ? null : readRole(trx, campaignId);
}

/** The scope's id, as far as the caller may name it. */
function scopeIdOf(caller: Caller, input: Static<typeof HoldInput>): string {
  const isInstallation = caller.accountId === OPERATOR;
  if (input.scope === 'installation') {
    if (!caller.isOperator) {
      throw new Problem(
        'scope-missing',
        "Only an operator's key can hold the installation. Use one, or hold the account.",
      );
    }
    if (!isInstallation || input.scopeId !== undefined) {
      throw new Problem('not-acceptable-value', 'The installation is held without naming anything else.', {
        errors: [{ pointer: '/scope', message: 'Leave scopeId and the header Carillon-Account out.' }],
      });
    }
    return INSTALLATION;
  }
  if (isInstallation) {
    throw new Problem('account-required', 'Name the account that is held as Carillon-Account: acc_....');
  }
  if (input.scopeId !== undefined) return input.scopeId;
  if (input.scope === 'account') return caller.accountId;
  throw new Problem('not-acceptable-value', `Say which ${input.scope} is held.`, {
    errors: [{ pointer: '/scopeId', message: `Give the id of the ${input.scope}.` }],
  });
}

async function place(
  trx: Trx,
  caller: Caller,
  input: Static<typeof HoldInput> & { readonly scopeId: string; readonly at: number },
): Promise<{ status: number; body: Static<typeof HoldOutput>; isRunning: boolean }> {
  const placed = await placeHold(trx, {
    ...input,
    accountId: caller.accountId,
    actor: caller.actor,
    byOperator: caller.isOperator,
  });
  if (placed.kind === 'gone') throw unknownReference('/scopeId', input.scope);
  if (placed.kind === 'too_many') {
    throw new Problem(
      'too-many-holds',
      `${HOLDS_OF_SCOPE_MAX} holds stand on this ${input.scope} already. Lift those that are over.`,
    );
  }
  return {
    status: placed.inFlight === 0 ? 201 : 202,
    body: viewOf(placed.hold, (await isOfCentral(trx, placed.hold)) ? null : placed.inFlight),
    isRunning: placed.isRunning,
  };
}

async function lift(
  deps: ApiDeps,
  request: FastifyRequest<{ Params: { id: string } }>,
  reply: FastifyReply,
): Promise<Static<typeof HoldOutput>> {
  const { accountId, actor, isOperator } = request.caller;
  const { id } = request.params;
  const { body, isRepeated } = await idempotent(deps, request, reply, async (trx) => {
    const result = await liftHold(trx, id, { actor, isOperator, at: deps.now() }, (hold) =>
      checkIfMatch(request, hold.version),
    );
    const { hold, ...order } = refuse(result);
    const role = await roleOfHeld(trx, hold.campaignId);
    return {
      status: order.kind === 'lifted' ? 200 : 202,
      body: { ...order, role, hold: await readView(trx, hold) },
    };
  });
  const { hold } = body;
  if (body.kind === 'lifted') {
    if (isWide(hold.scope) && !isRepeated) {
      // Whoever is not reached now is woken by repair, since the hold remembers that it is not done.
      wakeAfterHold(deps.db, { ...hold, accountId }, deps.workflows.wakeCampaign).catch(() => undefined);
    }
    return hold;
  }
  const answer = await runOf(deps, body.role).apply(accountId, body.campaignId, body.actionId);
  if (answer === null) return hold;
  if (answer.state === 'refused') throw new Problem('action-not-allowed', answer.reason ?? 'It was refused.');
  reply.code(200);
  return withAccount(deps.db, accountId, async (trx) => {
    const lifted = await findHold(trx, id);
    if (lifted === null) throw notFound('hold');
    return readView(trx, lifted);
  });
}

/** Turns what was not lifted into the problem that says so. */
function refuse(result: LiftResult): Extract<LiftResult, { kind: 'lifted' | 'ordered' }> {
  switch (result.kind) {
    case 'lifted':
    case 'ordered':
      return result;
    case 'gone':
      throw notFound('hold');
    case 'of_operator':
      throw new Problem(
        'operators-hold',
        "An operator has placed this hold, so only an operator's key lifts it. Ask them with its reason.",
      );
    case 'overdue':
      throw new Problem('overdue-messages', OVERDUE_BEHIND_HOLD);
    case 'of_action':
      throw new Problem(
        'action-not-allowed',
        result.hold.kind === 'disable'
          ? 'The account is disabled, which ends when its parent or an operator enables it.'
          : `This is the campaign's ${result.hold.kind}, which ends with the campaign's own actions: resume or restart it.`,
      );
  }
}

async function readView(trx: Trx, hold: Hold): Promise<Static<typeof HoldOutput>> {
  if (await isOfCentral(trx, hold)) return viewOf(hold, null);
  return viewOf(hold, hold.liftedAt === null ? await inFlight(trx, hold) : 0);
}

async function isOfCentral(trx: Trx, hold: Hold): Promise<boolean> {
  return (await roleOfHeld(trx, hold.campaignId)) === 'central';
}

function viewOf(hold: Hold, people: number | null): Static<typeof HoldOutput> {
  return { ...fieldsOf(hold), state: stateOf(hold, people), inFlight: people, url: `/v1/holds/${hold.id}` };
}

function stateOf(hold: Hold, people: number | null): 'closing' | 'closed' | 'lifting' | 'lifted' {
  if (hold.liftedAt !== null) return 'lifted';
  if (hold.liftActionId !== null) return 'lifting';
  return people === null || people === 0 ? 'closed' : 'closing';
}

function fieldsOf(hold: Hold): Static<typeof HoldListItemOutput> {
  return {
    id: hold.id,
    scope: hold.scope,
    scopeId: hold.scopeId,
    kind: hold.kind,
    cause: hold.cause,
    reason: hold.reason,
    campaignId: hold.campaignId,
    byOperator: hold.byOperator,
    placedBy: hold.placedBy,
    placedByName: hold.placedByName,
    placedAt: hold.placedAt.toISOString(),
    liftedBy: hold.liftedBy,
    liftedByName: hold.liftedByName,
    liftedAt: hold.liftedAt?.toISOString() ?? null,
  };
}

import { type Static, Type } from 'typebox';
import { liveCampaignIds } from '../../db/accounts.ts';
import { type Trx, withAccount, withAccountReading } from '../../db/database.ts';
import {
  deleteQuota,
  findQuota,
  insertQuota,
  type KeptQuota,
  listQuotas,
  lockQuota,
  QUOTA_SORTS,
  updateQuota,
} from '../../db/quotas.ts';
import { resetsAt, unitsLeft } from '../../domain/dispatch/quota.ts';
import { isTimeZone, toOffsetString } from '../../domain/zoned-time.ts';
import { type Caller, seesReports } from '../authentication.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { brokenUniqueRule } from '../errors.ts';
import { checkIfMatch, setEtag } from '../etag.ts';
import { idempotent } from '../idempotency.ts';
import { orderIn } from '../list-query.ts';
import { logChange, logUpdate } from '../log-change.ts';
import { pageOf, rangeOf, toPage } from '../pages.ts';
import { notFound, Problem, problems } from '../problem.ts';
import { idParams } from '../schemas/common.ts';
import { QuotaChanges, QuotaInput, QuotaOutput, QuotaQuery } from '../schemas/quota-schemas.ts';
import { wakeCampaigns } from '../wake-campaigns.ts';

/** What several senders may send together: rates and daily caps of carrier campaigns, brands and the like. */
export function registerQuotaRoutes(api: Api, deps: ApiDeps): void {
  api.post(
    '/v1/quotas',
    {
      config: { scope: 'write', forParents: 'always' },
      schema: {
        operationId: 'createQuota',
        summary: 'Add a quota',
        description: 'A rate and a daily cap that the senders share that name it.',
        tags: ['account'],
        body: QuotaInput,
        response: { 201: QuotaOutput, ...problems(409, 422) },
      },
    },
    async (request, reply) => {
      refuseUnknownZone(request.body.resetZone);
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const id = await insertQuota(trx, request.caller.accountId, request.body).catch(nameTaken);
        const quota = await existing(trx, id);
        await logChange(trx, request.caller, { kind: 'quota', id }, { what: 'create', to: loggedOf(quota) });
        return { status: 201, body: viewOf(quota, deps.now(), request.caller) };
      });
      return body;
    },
  );

  api.get(
    '/v1/quotas',
    {
      config: { forParents: 'always' },
      schema: {
        operationId: 'listQuotas',
        summary: 'List quotas',
        tags: ['account'],
        querystring: QuotaQuery,
        response: { 200: pageOf(QuotaOutput), ...problems() },
      },
    },
    async (request) => {
      const range = rangeOf(request.query);
      const { q } = request.query;
      const { items, total } = await withAccountReading(deps.db, request.caller.accountId, (trx) =>
        listQuotas(trx, {
          ...(q === undefined ? {} : { q }),
          ...orderIn(QUOTA_SORTS, 'asc', request.query),
          ...range,
        }),
      );
      return toPage(
        items.map((quota) => viewOf(quota, deps.now(), request.caller)),
        total,
        range,
      );
    },
  );

  api.get(
    '/v1/quotas/:id',
    {
      config: { forParents: 'always' },
      schema: {
        operationId: 'getQuota',
        summary: 'Read a quota',
        description: 'With what is left of it today.',
        tags: ['account'],
        params: idParams('quo'),
        response: { 200: QuotaOutput, ...problems(404) },
      },
    },
    async (request, reply) => {
      const quota = await withAccountReading(deps.db, request.caller.accountId, (trx) =>
        findQuota(trx, request.params.id),
      );
      if (quota === null) throw notFound('quota');
      setEtag(reply, quota.version);
      return viewOf(quota, deps.now(), request.caller);
    },
  );

  api.patch(
    '/v1/quotas/:id',
    {
      config: { scope: 'write', forParents: 'always' },
      schema: {
        operationId: 'updateQuota',
        summary: 'Change a quota',
        description: 'Counts from the next lease on, also for what is being sent.',
        tags: ['account'],
        params: idParams('quo'),
        body: QuotaChanges,
        response: { 200: QuotaOutput, ...problems(404, 409, 412, 422) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      refuseUnknownZone(request.body.resetZone);
      const { quota, live } = await withAccount(deps.db, accountId, async (trx) => {
        const before = await lockQuota(trx, request.params.id);
        if (before === null) throw notFound('quota');
        checkIfMatch(request, before.version);
        await updateQuota(trx, before.id, request.body).catch(nameTaken);
        const after = await existing(trx, before.id);
        const states = { before: loggedOf(before), after: loggedOf(after) };
        await logUpdate(trx, request.caller, { kind: 'quota', id: before.id }, states);
        return { quota: after, live: await liveCampaignIds(trx) };
      });
      // A message that waits for the next day has to look again.
      wakeCampaigns(deps, accountId, live);
      setEtag(reply, quota.version);
      return viewOf(quota, deps.now(), request.caller);
    },
  );

  api.delete(
    '/v1/quotas/:id',
    {
      config: { scope: 'write', forParents: 'always' },
      schema: {
        operationId: 'deleteQuota',
        summary: 'Delete a quota',
        description: 'Its senders are no longer bound by it.',
        tags: ['account'],
        params: idParams('quo'),
        response: { 204: Type.Null(), ...problems(404, 412) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      const live = await withAccount(deps.db, accountId, async (trx) => {
        const quota = await lockQuota(trx, request.params.id);
        if (quota === null) throw notFound('quota');
        checkIfMatch(request, quota.version);
        await deleteQuota(trx, quota.id);
        const { id } = quota;
        await logChange(
          trx,
          request.caller,
          { kind: 'quota', id },
          { what: 'delete', from: loggedOf(quota) },
        );
        return liveCampaignIds(trx);
      });
      // A message that waits for the next day has to look again.
      wakeCampaigns(deps, accountId, live);
      return reply.code(204).send(null);
    },
  );
}

async function existing(trx: Trx, id: string): Promise<KeptQuota> {
  const quota = await findQuota(trx, id);
  if (quota === null) throw notFound('quota');
  return quota;
}

function refuseUnknownZone(zone: string | undefined): void {
  if (zone === undefined || isTimeZone(zone)) return;
  throw new Problem('not-acceptable-value', 'The zone is not known.', {
    errors: [{ pointer: '/resetZone', message: 'Give an IANA name such as America/Los_Angeles.' }],
  });
}

function nameTaken(error: unknown): never {
  if (brokenUniqueRule(error) !== 'quotas_name') throw error;
  throw new Problem('name-taken', 'Another quota of this account has this name, without regard to case.', {
    errors: [{ pointer: '/name', message: 'Choose another name.' }],
  });
}

function loggedOf({ name, rateUnits, ratePeriod, dayUnits, resetZone, sharePercent }: KeptQuota) {
  return { name, rateUnits, ratePeriod, dayUnits, resetZone, sharePercent };
}

function viewOf(quota: KeptQuota, now: number, caller: Pick<Caller, 'asParent'>): Static<typeof QuotaOutput> {
  // What is left says how much was sent.
  const isShown = quota.dayUnits !== null && seesReports(caller);
  return {
    id: quota.id,
    ...loggedOf(quota),
    unitsLeftToday: isShown ? unitsLeft(quota, quota.use, now) : null,
    resetsAt: toOffsetString(resetsAt(quota, now), quota.resetZone),
    createdAt: quota.createdAt.toISOString(),
  };
}

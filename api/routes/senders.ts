import type { Static } from 'typebox';
import { liveCampaignIds } from '../../db/accounts.ts';
import { ensureDefaultCarrierAccount, findCarrierAccount } from '../../db/carrier-accounts.ts';
import { type Trx, withAccount, withAccountReading } from '../../db/database.ts';
import { indexOfUnknownQuota, setSenderQuotas } from '../../db/quotas.ts';
import { reviewRegistration } from '../../db/registration-alerts.ts';
import {
  findSender,
  insertSender,
  listSenders,
  lockSender,
  SENDER_SORTS,
  type Sender,
  updateSender,
} from '../../db/senders.ts';
import { isRegistered, type Registration } from '../../domain/registration.ts';
import { isSenderAddress } from '../../domain/sender.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { brokenUniqueRule } from '../errors.ts';
import { checkIfMatch, setEtag } from '../etag.ts';
import { idempotent } from '../idempotency.ts';
import { logChange, logUpdate } from '../log-change.ts';
import { orderIn } from '../list-query.ts';
import { pageOf, rangeOf, toPage } from '../pages.ts';
import { notFound, Problem, problems, unknownReference } from '../problem.ts';
import { idParams } from '../schemas/common.ts';
import { SenderChanges, SenderInput, SenderOutput, SenderQuery } from '../schemas/sender-schemas.ts';
import { wakeCampaigns } from '../wake-campaigns.ts';

/** Send-as numbers. */
export function registerSenderRoutes(api: Api, deps: ApiDeps): void {
  api.post(
    '/v1/senders',
    {
      config: { scope: 'write', forParents: 'always' },
      schema: {
        operationId: 'createSender',
        summary: 'Add a sender',
        description: 'A number or a name to send from. It sends nothing until its registration is approved.',
        tags: ['account'],
        body: SenderInput,
        response: { 201: SenderOutput, ...problems(409, 422) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      const input = request.body;
      if (!isSenderAddress(input.type, input.address)) {
        throw new Problem('not-acceptable-value', 'The address does not suit the type.', {
          errors: [
            {
              pointer: '/address',
              message:
                'A short code has 5 or 6 digits, a name 1 to 11 characters with a letter, everything else is a number in E.164.',
            },
          ],
        });
      }
      refuseLapsed({ registration: 'pending', registrationExpiresOn: null }, input, deps.now());
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const carrierAccountId = input.carrierAccountId ?? (await ensureDefaultCarrierAccount(trx));
        if ((await findCarrierAccount(trx, carrierAccountId)) === null) {
          throw unknownReference('/carrierAccountId', 'carrier account');
        }
        await refuseUnknownQuotas(trx, input.quotaIds);
        const id = await insertSender(trx, {
          accountId,
          address: input.address,
          type: input.type,
          supportsMms: input.supportsMms ?? false,
          registration: input.registration ?? 'pending',
          registrationExpiresOn: input.registrationExpiresOn ?? null,
          segmentsPerSecond: input.segmentsPerSecond ?? null,
          mmsPerSecond: input.mmsPerSecond ?? null,
          carrierAccountId,
        }).catch(taken);
        if (input.quotaIds !== undefined) await setSenderQuotas(trx, { id, accountId }, input.quotaIds);
        const sender = await findSender(trx, id);
        if (sender === null) throw notFound('sender');
        const { address: _address, createdAt: _createdAt, id: _id, ...to } = viewOf(sender);
        await logChange(trx, request.caller, { kind: 'sender', id }, { what: 'create', to });
        await reviewRegistration(trx, accountId, sender, deps.now());
        return { status: 201, body: viewOf(sender) };
      });
      return body;
    },
  );

  api.get(
    '/v1/senders',
    {
      config: { forParents: 'always' },
      schema: {
        operationId: 'listSenders',
        summary: 'List senders',
        tags: ['account'],
        querystring: SenderQuery,
        response: { 200: pageOf(SenderOutput), ...problems() },
      },
    },
    async (request) => {
      const range = rangeOf(request.query);
      const { q, type, registration, carrierAccountId, disabled } = request.query;
      const query = {
        ...(q === undefined ? {} : { q }),
        ...(type === undefined ? {} : { types: type }),
        ...(registration === undefined ? {} : { registrations: registration }),
        ...(carrierAccountId === undefined ? {} : { carrierAccountIds: carrierAccountId }),
        ...(disabled === undefined ? {} : { disabled }),
        ...orderIn(SENDER_SORTS, 'asc', request.query),
        ...range,
      };
      const { items, total } = await withAccountReading(deps.db, request.caller.accountId, (trx) =>
        listSenders(trx, query),
      );
      return toPage(items.map(viewOf), total, range);
    },
  );

  api.get(
    '/v1/senders/:id',
    {
      config: { forParents: 'always' },
      schema: {
        operationId: 'getSender',
        summary: 'Read a sender',
        tags: ['account'],
        params: idParams('snd'),
        response: { 200: SenderOutput, ...problems(404) },
      },
    },
    async (request, reply) => {
      const sender = await withAccount(deps.db, request.caller.accountId, (trx) =>
        findSender(trx, request.params.id),
      );
      if (sender === null) throw notFound('sender');
      setEtag(reply, sender.version);
      return viewOf(sender);
    },
  );

  api.patch(
    '/v1/senders/:id',
    {
      config: { scope: 'write', forParents: 'always' },
      schema: {
        operationId: 'updateSender',
        summary: 'Change or disable a sender',
        description: 'Campaigns that send from a disabled or lapsed sender are suspended.',
        tags: ['account'],
        params: idParams('snd'),
        body: SenderChanges,
        response: { 200: SenderOutput, ...problems(404, 412, 422) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      const { disabled, quotaIds, ...changes } = request.body;
      const { sender, live } = await withAccount(deps.db, accountId, async (trx) => {
        const before = await lockSender(trx, request.params.id);
        if (before === null) throw notFound('sender');
        checkIfMatch(request, before.version);
        refuseLapsed(before, changes, deps.now());
        const disabledAt =
          disabled === undefined ? {} : { disabledAt: disabled ? new Date(deps.now()) : null };
        await refuseUnknownQuotas(trx, quotaIds);
        await updateSender(trx, before.id, { ...changes, ...disabledAt });
        if (quotaIds !== undefined) await setSenderQuotas(trx, { id: before.id, accountId }, quotaIds);
        const after = (await findSender(trx, before.id)) ?? before;
        const states = { before: viewOf(before), after: viewOf(after) };
        await logUpdate(trx, request.caller, { kind: 'sender', id: before.id }, states);
        if (concernsRegistration(before, after)) await reviewRegistration(trx, accountId, after, deps.now());
        return { sender: after, live: await liveCampaignIds(trx) };
      });
      wakeCampaigns(deps, accountId, live);
      setEtag(reply, sender.version);
      return viewOf(sender);
    },
  );
}

function concernsRegistration(before: Sender, after: Sender): boolean {
  return (
    before.registration !== after.registration ||
    before.registrationExpiresOn !== after.registrationExpiresOn ||
    before.disabledAt !== after.disabledAt
  );
}

/** Approved until a day that is over would be no approval. What is not touched stays as it is. */
function refuseLapsed(before: Registration, changes: Partial<Registration>, now: number): void {
  if (changes.registration === undefined && changes.registrationExpiresOn === undefined) return;
  const after = {
    registration: changes.registration ?? before.registration,
    registrationExpiresOn:
      changes.registrationExpiresOn === undefined
        ? before.registrationExpiresOn
        : changes.registrationExpiresOn,
  };
  if (after.registration !== 'approved' || isRegistered(after, now)) return;
  throw new Problem('not-acceptable-value', 'The registration has ended already.', {
    errors: [
      {
        pointer: '/registrationExpiresOn',
        message: 'Give the last day of the renewed registration, today in UTC or later, or null.',
      },
    ],
  });
}

async function refuseUnknownQuotas(trx: Trx, ids: readonly string[] | undefined): Promise<void> {
  const unknown = await indexOfUnknownQuota(trx, ids ?? []);
  if (unknown !== -1) throw unknownReference(`/quotaIds/${unknown}`, 'quota');
}

function taken(error: unknown): never {
  if (brokenUniqueRule(error) !== null) {
    throw new Problem('already-exists', 'A sender with this address exists already.', {
      errors: [{ pointer: '/address', message: 'Use the sender that exists, or another address.' }],
    });
  }
  throw error;
}

function viewOf(sender: Sender): Static<typeof SenderOutput> {
  return {
    id: sender.id,
    address: sender.address,
    type: sender.type,
    supportsMms: sender.supportsMms,
    registration: sender.registration,
    registrationExpiresOn: sender.registrationExpiresOn,
    segmentsPerSecond: sender.segmentsPerSecond,
    mmsPerSecond: sender.mmsPerSecond,
    carrierAccountId: sender.carrierAccountId,
    quotaIds: [...sender.quotaIds],
    disabled: sender.disabledAt !== null,
    createdAt: sender.createdAt.toISOString(),
  };
}

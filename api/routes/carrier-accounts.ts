import { type Static, Type } from 'typebox';
import {
  type CarrierAccount,
  CARRIER_ACCOUNT_SORTS,
  findCarrierAccount,
  insertCarrierAccount,
  listCarrierAccounts,
  lockCarrierAccount,
  updateCarrierAccount,
} from '../../db/carrier-accounts.ts';
import { withAccount, withAccountReading } from '../../db/database.ts';
import { newId } from '../../db/ids.ts';
import { seal } from '../../db/sealing.ts';
import { OPERATOR } from '../authentication.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { checkIfMatch, setEtag } from '../etag.ts';
import { idempotent } from '../idempotency.ts';
import { orderIn, Q, sortedBy } from '../list-query.ts';
import { logChange, logUpdate } from '../log-change.ts';
import { PageQuery, pageOf, rangeOf, toPage } from '../pages.ts';
import { notFound, Problem, problems } from '../problem.ts';
import { idOf, idParams, INSTANT, nullable } from '../schemas/common.ts';

const fields = {
  name: Type.String({ minLength: 1, maxLength: 200, examples: ['Plivo US'] }),
  authId: Type.String({ minLength: 1, maxLength: 100, description: 'As the carrier has given it.' }),
  authToken: Type.String({ minLength: 1, maxLength: 200, description: 'Kept sealed, never shown.' }),
  requestsMax: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 100_000,
      description: 'Requests in 5 s over all workers; 0 is no limit.',
    }),
  ),
};
const CarrierAccountInput = Type.Object(fields, { additionalProperties: false });
const CarrierAccountChanges = Type.Partial(Type.Object(fields), { additionalProperties: false });
const CarrierAccountOutput = Type.Object({
  id: idOf('car'),
  name: Type.String(),
  carrier: Type.String(),
  authId: nullable(Type.String({ description: "Null: the environment's credentials." })),
  requestsMax: Type.Integer(),
  requestsWindowMs: Type.Integer(),
  createdAt: INSTANT,
});

const CarrierAccountQuery = Type.Object(
  { ...PageQuery.properties, q: Q, ...sortedBy(CARRIER_ACCOUNT_SORTS, 'asc') },
  { additionalProperties: false },
);

const REQUESTS_MAX = 300;
/** What the log names without its values. */
const CREDENTIALS = ['authId', 'authTokenSealed'];

/** Accounts at a carrier: an operator keeps them, senders name them. */
export function registerCarrierAccountRoutes(api: Api, deps: ApiDeps): void {
  const sealFor = (id: string, token: string): string => {
    const [key] = deps.keys;
    if (key === undefined) throw new Problem('internal', 'No key to seal with; set CARILLON_KEYS.');
    return seal(key, token, id);
  };

  api.post(
    '/v1/carrier-accounts',
    {
      config: { scope: 'operator' },
      schema: {
        operationId: 'createCarrierAccount',
        summary: 'Add a carrier account',
        description:
          'Beside the default one, which has the credentials of the environment. Senders say which of them they belong to.',
        tags: ['installation'],
        body: CarrierAccountInput,
        response: { 201: CarrierAccountOutput, ...problems(409, 422) },
      },
    },
    async (request, reply) => {
      const { name, authId, authToken, requestsMax } = request.body;
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const id = newId('car');
        await insertCarrierAccount(trx, {
          id,
          name,
          authId,
          authTokenSealed: sealFor(id, authToken),
          requestsMax: requestsMax ?? REQUESTS_MAX,
        });
        const account = await findCarrierAccount(trx, id);
        if (account === null) throw notFound('carrier account');
        await logChange(
          trx,
          request.caller,
          { kind: 'carrier_account', id },
          { what: 'create', to: { name, requestsMax: account.requestsMax } },
        );
        return { status: 201, body: viewOf(account) };
      });
      return body;
    },
  );

  api.get(
    '/v1/carrier-accounts',
    {
      config: { scope: 'operator' },
      schema: {
        operationId: 'listCarrierAccounts',
        summary: 'List carrier accounts',
        tags: ['installation'],
        querystring: CarrierAccountQuery,
        response: { 200: pageOf(CarrierAccountOutput), ...problems() },
      },
    },
    async (request) => {
      const range = rangeOf(request.query);
      const { q } = request.query;
      const query = {
        ...(q === undefined ? {} : { q }),
        ...orderIn(CARRIER_ACCOUNT_SORTS, 'asc', request.query),
        ...range,
      };
      const { items, total } = await withAccountReading(deps.db, OPERATOR, (trx) =>
        listCarrierAccounts(trx, query),
      );
      return toPage(items.map(viewOf), total, range);
    },
  );

  api.get(
    '/v1/carrier-accounts/:id',
    {
      config: { scope: 'operator' },
      schema: {
        operationId: 'getCarrierAccount',
        summary: 'Read a carrier account',
        tags: ['installation'],
        params: idParams('car'),
        response: { 200: CarrierAccountOutput, ...problems(404) },
      },
    },
    async (request, reply) => {
      const account = await withAccountReading(deps.db, OPERATOR, (trx) =>
        findCarrierAccount(trx, request.params.id),
      );
      if (account === null) throw notFound('carrier account');
      setEtag(reply, account.version);
      return viewOf(account);
    },
  );

  api.patch(
    '/v1/carrier-accounts/:id',
    {
      config: { scope: 'operator' },
      schema: {
        operationId: 'updateCarrierAccount',
        summary: 'Change a carrier account',
        description: 'A changed token holds for the next request.',
        tags: ['installation'],
        params: idParams('car'),
        body: CarrierAccountChanges,
        response: { 200: CarrierAccountOutput, ...problems(404, 412) },
      },
    },
    async (request, reply) => {
      const { authToken, ...changes } = request.body;
      const { id } = request.params;
      return withAccount(deps.db, OPERATOR, async (trx) => {
        const before = await lockCarrierAccount(trx, id);
        if (before === null) throw notFound('carrier account');
        checkIfMatch(request, before.version);
        const sealed = authToken === undefined ? {} : { authTokenSealed: sealFor(id, authToken) };
        await updateCarrierAccount(trx, id, { ...changes, ...sealed });
        const account = await findCarrierAccount(trx, id);
        if (account === null) throw notFound('carrier account');
        // A token is never read again, so any that is sent counts as a new one.
        const states = { before: viewOf(before), after: { ...viewOf(account), ...sealed } };
        await logUpdate(trx, request.caller, { kind: 'carrier_account', id }, states, { kept: CREDENTIALS });
        setEtag(reply, account.version);
        return viewOf(account);
      });
    },
  );
}

function viewOf(account: CarrierAccount): Static<typeof CarrierAccountOutput> {
  const { version: _version, ...shown } = account;
  return { ...shown, createdAt: account.createdAt.toISOString() };
}

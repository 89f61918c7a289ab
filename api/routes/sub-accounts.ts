import type { Static } from 'typebox';
import { findAccount, insertAccount, newAccountId } from '../../db/accounts.ts';
import { type Trx, withAccountReading } from '../../db/database.ts';
import { readGrants } from '../../db/grants.ts';
import { listSubAccountIds, lockParents, SUB_ACCOUNT_SORTS } from '../../db/sub-accounts.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { idempotent } from '../idempotency.ts';
import { inAccount } from '../in-account.ts';
import { orderIn } from '../list-query.ts';
import { logChange } from '../log-change.ts';
import { pageOf, rangeOf, toPage } from '../pages.ts';
import { notFound, Problem, problems } from '../problem.ts';
import { AccountInput, AccountOutput } from '../schemas/account-schemas.ts';
import { SubAccountListQuery, SubAccountOutput } from '../schemas/parent-schemas.ts';
import { refuseTooManySubAccounts, SUB_ACCOUNT_LIMIT } from '../sub-account-limit.ts';
import { accountView, toNewAccount } from '../views/account-view.ts';

/** Sub-accounts, which a parent makes and lists; what is in them it manages with the header Carillon-Account. */
export function registerSubAccountRoutes(api: Api, deps: ApiDeps): void {
  api.post(
    '/v1/sub-accounts',
    {
      config: { scope: 'write' },
      schema: {
        operationId: 'createSubAccount',
        summary: 'Create a sub-account',
        description: `It is an account of its own, with its own senders, contacts, limits and reports. Name it as Carillon-Account to manage it; keys of its own are made by an operator. ${SUB_ACCOUNT_LIMIT}`,
        tags: ['sub-accounts'],
        body: AccountInput,
        response: { 201: AccountOutput, ...problems(409, 422) },
      },
    },
    async (request, reply) => {
      const settings = toNewAccount(request.body);
      const { accountId: parentId } = request.caller;
      const id = newAccountId();
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        await lockParents(trx);
        const parent = await findAccount(trx, parentId);
        if (parent?.parentId !== null) {
          throw new Problem(
            'has-parent',
            'A sub-account has no sub-accounts of its own. Create it with a key of its parent.',
          );
        }
        const account = await inAccount(trx, request.caller, id, async (caller) => {
          await insertAccount(trx, id, { ...settings, parentId });
          await logChange(trx, caller, { kind: 'account', id }, { what: 'create' });
          return findAccount(trx, id);
        });
        if (account === null) throw notFound('account');
        await refuseTooManySubAccounts(trx);
        await logChange(trx, request.caller, { kind: 'account', id }, { what: 'create' });
        return { status: 201, body: accountView(account) };
      });
      return body;
    },
  );

  api.get(
    '/v1/sub-accounts',
    {
      schema: {
        operationId: 'listSubAccounts',
        summary: 'List sub-accounts',
        tags: ['sub-accounts'],
        querystring: SubAccountListQuery,
        response: { 200: pageOf(SubAccountOutput), ...problems() },
      },
    },
    async (request) => {
      const range = rangeOf(request.query);
      const { q, state } = request.query;
      const { items, total } = await withAccountReading(deps.db, request.caller.accountId, (trx) =>
        listSubAccountIds(trx, {
          ...(q === undefined ? {} : { q }),
          ...(state === undefined ? {} : { state }),
          ...orderIn(SUB_ACCOUNT_SORTS, 'asc', request.query),
          ...range,
        }),
      );
      const read = await Promise.all(
        items.map((id) => withAccountReading(deps.db, id, (trx) => readSubAccount(trx, id))),
      );
      return toPage(
        read.filter((account) => account !== null),
        total,
        range,
      );
    },
  );
}

async function readSubAccount(trx: Trx, id: string): Promise<Static<typeof SubAccountOutput> | null> {
  const [account, grants] = await Promise.all([findAccount(trx, id), readGrants(trx)]);
  if (account === null) return null;
  return {
    id,
    name: account.name,
    senderName: account.senderName,
    timeZone: account.timeZone,
    disabledAt: account.disabledAt?.toISOString() ?? null,
    disabledReason: account.disabledReason,
    reportsGranted: grants.reports,
    createdAt: account.createdAt.toISOString(),
  };
}

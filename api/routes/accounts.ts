import {
  type Account,
  ACCOUNT_SORTS,
  findAccount,
  insertAccount,
  listAccountIds,
  liveCampaignIds,
  lockAccount,
  newAccountId,
  updateAccount,
} from '../../db/accounts.ts';
import { actAs, type Trx, withAccount, withAccountReading } from '../../db/database.ts';
import { reviewHours } from '../../db/hours-alerts.ts';
import { findSender } from '../../db/senders.ts';
import { OPERATOR } from '../authentication.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { checkIfMatch, setEtag } from '../etag.ts';
import { idempotent } from '../idempotency.ts';
import { logChange, logUpdate } from '../log-change.ts';
import { orderIn } from '../list-query.ts';
import { pageOf, rangeOf, toPage } from '../pages.ts';
import { notFound, problems, unknownReference } from '../problem.ts';
import { AccountChanges, AccountInput, AccountOutput, AccountQuery } from '../schemas/account-schemas.ts';
import { accountView, toAccountSettings, toNewAccount } from '../views/account-view.ts';
import { wakeCampaigns } from '../wake-campaigns.ts';

/** Settings that the log names without their values. */
const TEXTS = ['prefix', 'suffix'];

/** Accounts: an operator's key makes them, the account itself reads and edits its settings. */
export function registerAccountRoutes(api: Api, deps: ApiDeps): void {
  api.post(
    '/v1/accounts',
    {
      config: { scope: 'operator' },
      schema: {
        operationId: 'createAccount',
        summary: 'Create an account',
        description: 'It has no key yet: make one with POST /v1/keys and the header Carillon-Account.',
        tags: ['installation'],
        body: AccountInput,
        response: { 201: AccountOutput, ...problems(409, 422) },
      },
    },
    async (request, reply) => {
      const settings = toNewAccount(request.body);
      const { actor } = request.caller;
      const id = newAccountId();
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const account = await actAs(trx, { from: OPERATOR, to: id }, async () => {
          await insertAccount(trx, id, settings);
          await logChange(trx, { accountId: id, actor }, { kind: 'account', id }, { what: 'create' });
          return findAccount(trx, id);
        });
        if (account === null) throw notFound('account');
        await logChange(trx, request.caller, { kind: 'account', id }, { what: 'create' });
        return { status: 201, body: accountView(account) };
      });
      return body;
    },
  );

  api.get(
    '/v1/accounts',
    {
      config: { scope: 'operator' },
      schema: {
        operationId: 'listAccounts',
        summary: 'List accounts',
        tags: ['installation'],
        querystring: AccountQuery,
        response: { 200: pageOf(AccountOutput), ...problems() },
      },
    },
    async (request) => {
      const range = rangeOf(request.query);
      const { q, defaultCountry } = request.query;
      const { items, total } = await listAccountIds(deps.db, {
        ...(q === undefined ? {} : { q }),
        ...(defaultCountry === undefined ? {} : { countries: defaultCountry }),
        ...orderIn(ACCOUNT_SORTS, 'asc', request.query),
        ...range,
      });
      const accounts = await Promise.all(
        items.map((id) => withAccountReading(deps.db, id, (trx) => findAccount(trx, id))),
      );
      return toPage(accounts.filter((account) => account !== null).map(accountView), total, range);
    },
  );

  api.get(
    '/v1/account',
    {
      config: { forParents: 'always' },
      schema: {
        operationId: 'getAccount',
        summary: 'Read the account',
        tags: ['account'],
        response: { 200: AccountOutput, ...problems(404) },
      },
    },
    async (request, reply) => {
      const account = await readAccount(deps, request.caller.accountId);
      setEtag(reply, account.version);
      return accountView(account);
    },
  );

  api.patch(
    '/v1/account',
    {
      config: { scope: 'write', forParents: 'always' },
      schema: {
        operationId: 'updateAccount',
        summary: "Change the account's settings",
        description:
          'Live campaigns hear of changed hours and zones at once; schedules that come to lie in quiet hours wait.',
        tags: ['account'],
        body: AccountChanges,
        response: { 200: AccountOutput, ...problems(404, 412, 422) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      const settings = toAccountSettings(request.body);
      const { account, live } = await withAccount(deps.db, accountId, async (trx) => {
        const before = await lockAccount(trx, accountId);
        if (before === null) throw notFound('account');
        checkIfMatch(request, before.version);
        await refuseUnknownSender(trx, settings.defaultSenderId ?? null);
        await updateAccount(trx, accountId, settings);
        const after = (await findAccount(trx, accountId)) ?? before;
        await logUpdate(
          trx,
          request.caller,
          { kind: 'account', id: accountId },
          { before: accountView(before), after: accountView(after) },
          { kept: TEXTS },
        );
        if (hoursDiffer(before, after)) {
          await reviewHours(trx, accountId, { before, after }, deps.now());
        }
        return { account: after, live: await liveCampaignIds(trx) };
      });
      wakeCampaigns(deps, accountId, live);
      setEtag(reply, account.version);
      return accountView(account);
    },
  );
}

/** Another account's sender is none of this one's, which a foreign key does not know. */
async function refuseUnknownSender(trx: Trx, senderId: string | null): Promise<void> {
  if (senderId !== null && (await findSender(trx, senderId)) === null) {
    throw unknownReference('/defaultSenderId', 'sender');
  }
}

function hoursDiffer(before: Account, after: Account): boolean {
  return (
    before.timeZone !== after.timeZone ||
    before.quietStart !== after.quietStart ||
    before.quietEnd !== after.quietEnd
  );
}

async function readAccount(deps: ApiDeps, accountId: string): Promise<Account> {
  const account = await withAccount(deps.db, accountId, (trx) => findAccount(trx, accountId));
  if (account === null) throw notFound('account');
  return account;
}

import type { Static } from 'typebox';
import {
  type Account,
  ACCOUNT_SORTS,
  type AccountSettings,
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
import { affixFault } from '../../domain/affixes.ts';
import { isCountry } from '../../domain/phone-number.ts';
import { isQuietHours } from '../../domain/quiet-hours.ts';
import { isTimeZone } from '../../domain/zoned-time.ts';
import { OPERATOR } from '../authentication.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { checkIfMatch, setEtag } from '../etag.ts';
import { idempotent } from '../idempotency.ts';
import { logChange, logUpdate } from '../log-change.ts';
import { orderIn } from '../list-query.ts';
import { pageOf, rangeOf, toPage } from '../pages.ts';
import { type FieldError, notFound, Problem, problems } from '../problem.ts';
import { AccountChanges, AccountInput, AccountOutput, AccountQuery } from '../schemas/account-schemas.ts';
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
        tags: ['installation'],
        body: AccountInput,
        response: { 201: AccountOutput, ...problems(409, 422) },
      },
    },
    async (request, reply) => {
      checkSettings(request.body);
      const { actor } = request.caller;
      const id = newAccountId();
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const account = await actAs(trx, { from: OPERATOR, to: id }, async () => {
          await insertAccountOf(trx, id, request.body);
          await logChange(trx, { accountId: id, actor }, { kind: 'account', id }, { what: 'create' });
          return findAccount(trx, id);
        });
        if (account === null) throw notFound('account');
        await logChange(trx, request.caller, { kind: 'account', id }, { what: 'create' });
        return { status: 201, body: viewOf(account) };
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
      return toPage(accounts.filter((account) => account !== null).map(viewOf), total, range);
    },
  );

  api.get(
    '/v1/account',
    {
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
      return viewOf(account);
    },
  );

  api.patch(
    '/v1/account',
    {
      config: { scope: 'write' },
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
      checkSettings(request.body);
      const { account, live } = await withAccount(deps.db, accountId, async (trx) => {
        const before = await lockAccount(trx, accountId);
        if (before === null) throw notFound('account');
        checkIfMatch(request, before.version);
        await updateAccount(trx, accountId, settingsOf(request.body));
        const after = (await findAccount(trx, accountId)) ?? before;
        await logUpdate(
          trx,
          request.caller,
          { kind: 'account', id: accountId },
          { before: viewOf(before), after: viewOf(after) },
          { kept: TEXTS },
        );
        if (hoursDiffer(before, after)) {
          await reviewHours(trx, accountId, { before, after }, deps.now());
        }
        return { account: after, live: await liveCampaignIds(trx) };
      });
      wakeCampaigns(deps, accountId, live);
      setEtag(reply, account.version);
      return viewOf(account);
    },
  );
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

async function insertAccountOf(trx: Trx, id: string, input: Static<typeof AccountInput>): Promise<void> {
  await insertAccount(trx, id, {
    ...settingsOf(input),
    name: input.name,
    timeZone: input.timeZone,
    senderName: input.senderName,
    defaultCountry: input.defaultCountry,
    countries: input.countries ?? [input.defaultCountry],
  });
}

function settingsOf(input: AccountChanges): AccountSettings {
  const { quietHours, spendLimit, ...rest } = input;
  return {
    ...rest,
    ...(quietHours === undefined ? {} : { quietStart: quietHours.start, quietEnd: quietHours.end }),
    ...(spendLimit === undefined ? {} : { spendLimitMicroUsd: spendLimit?.amountMicro ?? null }),
  };
}

function checkSettings(input: AccountChanges): void {
  const errors: FieldError[] = [];
  if (input.timeZone !== undefined && !isTimeZone(input.timeZone)) {
    errors.push({ pointer: '/timeZone', message: 'Give an IANA time zone, such as America/New_York.' });
  }
  if (input.quietHours !== undefined && !isQuietHours(input.quietHours)) {
    errors.push({ pointer: '/quietHours', message: 'Give start and end as HH:MM, such as 20:00 and 08:00.' });
  }
  if (input.defaultCountry !== undefined && !isCountry(input.defaultCountry)) {
    errors.push({
      pointer: '/defaultCountry',
      message: 'Give a country as two letters of ISO 3166, such as US.',
    });
  }
  for (const [index, country] of (input.countries ?? []).entries()) {
    if (!isCountry(country)) {
      errors.push({ pointer: `/countries/${index}`, message: 'Give a country as two letters of ISO 3166.' });
    }
  }
  for (const field of ['prefix', 'suffix'] as const) {
    const fault = affixFault(input[field] ?? '');
    if (fault !== null) errors.push({ pointer: `/${field}`, message: fault });
  }
  if (errors.length > 0)
    throw new Problem('not-acceptable-value', 'Some settings are not acceptable.', { errors });
}

function viewOf(account: Account): Static<typeof AccountOutput> {
  return {
    id: account.id,
    name: account.name,
    timeZone: account.timeZone,
    senderName: account.senderName,
    quietHours: { start: account.quietStart, end: account.quietEnd },
    defaultCountry: account.defaultCountry,
    countries: [...account.countries],
    spendLimit:
      account.spendLimitMicroUsd === null
        ? null
        : { amountMicro: account.spendLimitMicroUsd, currency: 'USD' },
    prefix: account.prefix,
    suffix: account.suffix,
    reviewRequired: account.reviewRequired,
    reviewTolerancePercent: account.reviewTolerancePercent,
    resendAbsent: account.resendAbsent,
    parentId: account.parentId,
    createdAt: account.createdAt.toISOString(),
  };
}

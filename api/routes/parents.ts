import type { Static } from 'typebox';
import { type Account, findAccount, lockAccount, setCentralSend } from '../../db/accounts.ts';
import { endParts, lockParts } from '../../db/central/end-parts.ts';
import { type Trx, withAccount, withAccountReading } from '../../db/database.ts';
import { readGrants, setReportsGrant } from '../../db/grants.ts';
import { hasSubAccounts, lockParents, setParent } from '../../db/sub-accounts.ts';
import type { Caller } from '../authentication.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { idempotent } from '../idempotency.ts';
import { checkIfMatch, setEtag } from '../etag.ts';
import { inAccount } from '../in-account.ts';
import { logChange } from '../log-change.ts';
import { notFound, Problem, problems, unknownReference } from '../problem.ts';
import { AccountOutput } from '../schemas/account-schemas.ts';
import { idParams } from '../schemas/common.ts';
import { CentralSendInput, GrantsInput, GrantsOutput, ParentInput } from '../schemas/parent-schemas.ts';
import { refuseTooManySubAccounts, SUB_ACCOUNT_LIMIT } from '../sub-account-limit.ts';
import { accountView } from '../views/account-view.ts';
import { wakeCampaigns } from '../wake-campaigns.ts';

const params = idParams('acc');

/** Whose sub-account an account is, what it lets its parent see, and who may send for sub-accounts. */
export function registerParentRoutes(api: Api, deps: ApiDeps): void {
  api.put(
    '/v1/accounts/:id/parent',
    {
      config: { scope: 'operator' },
      schema: {
        operationId: 'setParent',
        summary: "Make an account a parent's, or nobody's",
        description: `What it had granted an earlier parent falls with it. ${SUB_ACCOUNT_LIMIT}`,
        tags: ['installation'],
        params,
        body: ParentInput,
        response: { 200: AccountOutput, ...problems(404, 409, 412, 422) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { parentId } = request.body;
      const moved = await withAccount(deps.db, request.caller.accountId, async (trx) => {
        await lockParents(trx);
        if (parentId !== null) await refuseParent(trx, request.caller, parentId);
        const { before, after } = await inAccount(trx, request.caller, id, async (caller) => {
          const account = await lockAccount(trx, id);
          if (account === null) throw notFound('account');
          checkIfMatch(request, account.version);
          if (parentId !== null) await refuseChild(trx, account, parentId);
          return { before: account, after: await moveTo(trx, deps, caller, account, parentId) };
        });
        if (parentId !== null && before.parentId !== parentId) {
          await inAccount(trx, request.caller, parentId, () => refuseTooManySubAccounts(trx));
        }
        await tellParents(trx, request.caller, before, parentId);
        if (before.parentId !== parentId) {
          await logChange(trx, request.caller, { kind: 'account', id }, parentChange(before, parentId));
        }
        return after;
      });
      wakeCampaigns(deps, id, moved.ended);
      setEtag(reply, moved.account.version);
      return accountView(moved.account);
    },
  );

  api.put(
    '/v1/accounts/:id/central-send',
    {
      config: { scope: 'operator' },
      schema: {
        operationId: 'setCentralSend',
        summary: 'Let an account send for its sub-accounts, or no longer',
        description: 'What is launched goes on; nothing new is launched without it.',
        tags: ['installation'],
        params,
        body: CentralSendInput,
        response: { 200: AccountOutput, ...problems(404, 409, 412, 422) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { enabled } = request.body;
      const changed = await withAccount(deps.db, request.caller.accountId, async (trx) => {
        await lockParents(trx);
        const { before, after } = await inAccount(trx, request.caller, id, async (caller) => {
          const account = await lockAccount(trx, id);
          if (account === null) throw notFound('account');
          checkIfMatch(request, account.version);
          if (enabled && account.parentId !== null) {
            throw new Problem('has-parent', 'A sub-account has none to send for. Enable its parent.');
          }
          if (account.centralSend === enabled) return { before: account, after: account };
          await setCentralSend(trx, id, enabled);
          await logChange(trx, caller, { kind: 'account', id }, { what: sendingChange(enabled) });
          return { before: account, after: (await findAccount(trx, id)) ?? account };
        });
        if (before.centralSend !== enabled) {
          await logChange(trx, request.caller, { kind: 'account', id }, { what: sendingChange(enabled) });
        }
        return after;
      });
      setEtag(reply, changed.version);
      return accountView(changed);
    },
  );

  api.post(
    '/v1/account/leave-parent',
    {
      config: { scope: 'write' },
      schema: {
        operationId: 'leaveParent',
        summary: 'Leave the parent',
        description:
          'What the parent has sent stays here; what it has not sent yet is not sent any more. It may act for the account no longer, and sees nothing of it.',
        tags: ['sub-accounts'],
        response: { 200: AccountOutput, ...problems(404, 409, 412, 422) },
      },
    },
    async (request, reply) => {
      const { accountId } = request.caller;
      let ended: readonly string[] = [];
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        await lockParents(trx);
        const account = await lockAccount(trx, accountId);
        if (account === null) throw notFound('account');
        checkIfMatch(request, account.version);
        if (account.parentId === null) throw noParent();
        const after = await moveTo(trx, deps, request.caller, account, null);
        ended = after.ended;
        await tellParents(trx, request.caller, account, null);
        return { status: 200, body: accountView(after.account) };
      });
      wakeCampaigns(deps, accountId, ended);
      return body;
    },
  );

  api.get(
    '/v1/account/grants',
    {
      schema: {
        operationId: 'readGrants',
        summary: 'Read what the parent may see',
        tags: ['sub-accounts'],
        response: { 200: GrantsOutput, ...problems(404) },
      },
    },
    (request) => {
      const { accountId } = request.caller;
      return withAccountReading(deps.db, accountId, async (trx) => {
        const [account, grants] = await Promise.all([findAccount(trx, accountId), readGrants(trx)]);
        if (account === null) throw notFound('account');
        return { ...grants, parentId: account.parentId };
      });
    },
  );

  api.put(
    '/v1/account/grants',
    {
      config: { scope: 'write' },
      schema: {
        operationId: 'setGrants',
        summary: 'Say what the parent may see',
        description: 'It holds at once, also for what the parent reads right now.',
        tags: ['sub-accounts'],
        body: GrantsInput,
        response: { 200: GrantsOutput, ...problems(404, 409) },
      },
    },
    (request) =>
      withAccount(deps.db, request.caller.accountId, (trx) =>
        changeGrants(trx, request.caller, request.body.reports),
      ),
  );
}

async function changeGrants(
  trx: Trx,
  { accountId, actor }: Caller,
  reports: boolean,
): Promise<Static<typeof GrantsOutput>> {
  const account = await lockAccount(trx, accountId);
  if (account === null) throw notFound('account');
  const { parentId } = account;
  if (parentId === null) throw noParent();
  const before = await readGrants(trx);
  if (before.reports !== reports) {
    await setReportsGrant(trx, { accountId, parentId, grantedBy: actor.id }, reports);
    const subject = { kind: 'account', id: accountId } as const;
    await logChange(trx, { accountId, actor }, subject, {
      what: reports ? 'grant' : 'withdraw_grant',
      detail: { grant: 'reports' },
    });
  }
  return { reports, parentId };
}

interface Moved {
  readonly account: Account;
  /** Parts of the former parent's campaigns, whose runs have to hear that they were ended. */
  readonly ended: readonly string[];
}

/** Gives an account another parent or none, with a line in its log. What the former one has not sent yet ends. */
async function moveTo(
  trx: Trx,
  deps: ApiDeps,
  caller: Caller,
  account: Account,
  parentId: string | null,
): Promise<Moved> {
  if (account.parentId === parentId) return { account, ended: [] };
  const by = { actor: caller.actor, at: deps.now() };
  const ended =
    account.parentId === null ? [] : await endParts(trx, await lockParts(trx), by, 'account_left');
  await setParent(trx, account.id, parentId);
  await logChange(trx, caller, { kind: 'account', id: account.id }, parentChange(account, parentId));
  return { account: (await findAccount(trx, account.id)) ?? account, ended };
}

function parentChange(before: Account, parentId: string | null) {
  return {
    what: parentId === null ? 'leave_parent' : 'join_parent',
    from: { parentId: before.parentId },
    to: { parentId },
  };
}

function sendingChange(isEnabled: boolean): string {
  return isEnabled ? 'central_send.enable' : 'central_send.disable';
}

/** Who was the parent and who becomes it both read of it in their logs. */
async function tellParents(
  trx: Trx,
  caller: Caller,
  before: Account,
  parentId: string | null,
): Promise<void> {
  if (before.parentId === parentId) return;
  const tell = (id: string, what: string) =>
    inAccount(trx, caller, id, ({ actor }) =>
      logChange(
        trx,
        { accountId: id, actor: caller.isOperator ? actor : { ...actor, via: 'api' } },
        { kind: 'account', id: before.id },
        { what },
      ),
    );
  if (before.parentId !== null) await tell(before.parentId, 'sub_account.leave');
  if (parentId !== null) await tell(parentId, 'sub_account.join');
}

/** A parent is an account that has none itself. */
async function refuseParent(trx: Trx, caller: Caller, parentId: string): Promise<void> {
  const parent = await inAccount(trx, caller, parentId, () => findAccount(trx, parentId));
  if (parent === null) throw unknownReference('/parentId', 'account');
  if (parent.parentId !== null) {
    throw new Problem('has-parent', 'A sub-account has no sub-accounts of its own. Name its parent.');
  }
}

/** A sub-account is one that is nobody's parent and does not send for others. */
async function refuseChild(trx: Trx, account: Account, parentId: string): Promise<void> {
  if (account.id === parentId) {
    throw new Problem('not-acceptable-value', 'An account is not its own parent.', {
      errors: [{ pointer: '/parentId', message: 'Name another account, or null.' }],
    });
  }
  if (account.centralSend || (await hasSubAccounts(trx, account.id))) {
    throw new Problem(
      'has-sub-accounts',
      'It has sub-accounts or may send for some. Let them leave and take Central Send from it first.',
    );
  }
}

function noParent(): Problem {
  return new Problem(
    'no-parent',
    'The account is nobody’s sub-account, so there is nothing to grant or leave.',
  );
}

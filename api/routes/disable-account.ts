import type { FastifyRequest } from 'fastify';
import { type Account, lockAccount } from '../../db/accounts.ts';
import { endParts, lockParts } from '../../db/central/end-parts.ts';
import type { Trx } from '../../db/database.ts';
import { disableAccount, enableAccount } from '../../db/disable-account.ts';
import { wakeAfterHold } from '../../db/wake-after-hold.ts';
import type { Caller } from '../authentication.ts';
import type { Api, ApiDeps } from '../deps.ts';
import { checkIfMatch } from '../etag.ts';
import { idempotent } from '../idempotency.ts';
import { inAccount } from '../in-account.ts';
import { logChange } from '../log-change.ts';
import { notFound, Problem, problems } from '../problem.ts';
import { AccountOutput } from '../schemas/account-schemas.ts';
import { idParams } from '../schemas/common.ts';
import { DisableInput } from '../schemas/parent-schemas.ts';
import { accountView } from '../views/account-view.ts';
import { wakeCampaigns } from '../wake-campaigns.ts';

const params = idParams('acc');

/** Disabling accounts: a parent does it with its sub-accounts, an operator with any. */
export function registerDisableRoutes(api: Api, deps: ApiDeps): void {
  api.post(
    '/v1/accounts/:id/disable',
    {
      config: { scope: 'write', orInstallation: true },
      schema: {
        operationId: 'disableAccount',
        summary: 'Disable a sub-account',
        description:
          'From the answer on nothing of it is sent, and its own keys only read. What it was still to send of its parent’s campaigns is aborted. An operator disables any account.',
        tags: ['sub-accounts'],
        params,
        body: DisableInput,
        response: { 200: AccountOutput, ...problems(404, 409, 412, 422) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { reason } = request.body;
      let ended: readonly string[] = [];
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const disabled = await inAccount(trx, request.caller, id, async (caller) => {
          const account = await lockGoverned(trx, request, id);
          if (account.disabledAt !== null) {
            throw new Problem('action-not-allowed', 'The account is disabled already.');
          }
          const { actor, isOperator } = caller;
          const parts = await lockParts(trx);
          const at = deps.now();
          const after = await disableAccount(trx, reason, { account, actor, byOperator: isOperator, at });
          ended = await endParts(trx, parts, { actor, at }, 'account_disabled');
          await logChange(trx, caller, { kind: 'account', id }, { what: 'disable', detail: { reason } });
          return after;
        });
        await tellCaller(trx, request.caller, id, { what: 'disable', detail: { reason } });
        return { status: 200, body: accountView(disabled) };
      });
      wakeCampaigns(deps, id, ended);
      return body;
    },
  );

  api.post(
    '/v1/accounts/:id/enable',
    {
      config: { scope: 'write', orInstallation: true },
      schema: {
        operationId: 'enableAccount',
        summary: 'Enable a disabled sub-account',
        description:
          'Its campaigns go on where they stood. Only an operator enables what an operator disabled.',
        tags: ['sub-accounts'],
        params,
        response: { 200: AccountOutput, ...problems(404, 409, 412, 422) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      let lifted: readonly string[] = [];
      const { body } = await idempotent(deps, request, reply, async (trx) => {
        const enabled = await inAccount(trx, request.caller, id, async (caller) => {
          const account = await lockGoverned(trx, request, id);
          refuseEnabling(account, caller);
          const after = await enableAccount(trx, account, caller.actor);
          lifted = after.holdIds;
          await logChange(trx, caller, { kind: 'account', id }, { what: 'enable' });
          return after.account;
        });
        await tellCaller(trx, request.caller, id, { what: 'enable' });
        return { status: 200, body: accountView(enabled) };
      });
      for (const holdId of lifted) {
        const hold = { id: holdId, accountId: id, scope: 'account', scopeId: id } as const;
        // Whoever is not reached now is woken by repair, since the hold remembers that it is not done.
        wakeAfterHold(deps.db, hold, deps.workflows.wakeCampaign).catch(() => undefined);
      }
      return body;
    },
  );
}

/** The account, if it is one that the caller may disable; to anybody else there is none. */
async function lockGoverned(trx: Trx, request: FastifyRequest, id: string): Promise<Account> {
  const { isOperator, accountId } = request.caller;
  const account = await lockAccount(trx, id);
  if (account === null || !(isOperator || account.parentId === accountId)) throw notFound('account');
  checkIfMatch(request, account.version);
  return account;
}

/** A line in the log of the parent, or of the installation: the account's own log has one as well. */
async function tellCaller(
  trx: Trx,
  caller: Caller,
  id: string,
  line: { readonly what: string; readonly detail?: { readonly reason: string } },
): Promise<void> {
  if (caller.accountId !== id) await logChange(trx, caller, { kind: 'account', id }, line);
}

function refuseEnabling(account: Account, caller: Caller): void {
  if (account.disabledAt === null) throw new Problem('action-not-allowed', 'The account is not disabled.');
  if (account.disabledByOperator && !caller.isOperator) {
    throw new Problem(
      'operators-hold',
      "An operator has disabled this account, so only an operator's key enables it. Ask them with the reason.",
    );
  }
}

import { actAs, type Trx } from '../db/database.ts';
import type { Caller } from './authentication.ts';

/**
 * Does a part of a request's transaction in another account, for an operator or for the account's parent. The work has
 * to see to it that the caller may: it gets him as that account's log has to name him.
 */
export function inAccount<Result>(
  trx: Trx,
  caller: Caller,
  accountId: string,
  work: (caller: Caller) => Promise<Result>,
): Promise<Result> {
  const actor = caller.isOperator ? caller.actor : ({ ...caller.actor, via: 'parent' } as const);
  return actAs(trx, { from: caller.accountId, to: accountId }, () => work({ ...caller, accountId, actor }));
}

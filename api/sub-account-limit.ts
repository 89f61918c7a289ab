import type { Trx } from '../db/database.ts';
import { countSubAccounts, SUB_ACCOUNTS_MAX } from '../db/sub-accounts.ts';
import { Problem } from './problem.ts';

/** The limit in words, for the document and for whoever meets it. */
export const SUB_ACCOUNT_LIMIT = `A parent has at most ${SUB_ACCOUNTS_MAX} sub-accounts, disabled ones too.`;

/** Takes back that the account of this transaction has got one more, where it has too many. Under `lockParents`. */
export async function refuseTooManySubAccounts(trx: Trx): Promise<void> {
  if ((await countSubAccounts(trx)) <= SUB_ACCOUNTS_MAX) return;
  throw new Problem(
    'not-acceptable-value',
    `${SUB_ACCOUNT_LIMIT} Have one that is not needed any more leave first: by POST /v1/account/leave-parent with a key of its own, or by an operator.`,
  );
}

import { findAccount } from '../db/accounts.ts';
import type { Trx } from '../db/database.ts';
import { Problem } from './problem.ts';

/** Refuses what only those accounts may do that an operator lets send for their sub-accounts. Reading needs no leave. */
export async function requireCentralSend(trx: Trx, accountId: string): Promise<void> {
  const account = await findAccount(trx, accountId);
  if (account?.centralSend === true) return;
  throw new Problem(
    'central-send-disabled',
    'Central Send is not enabled for this account. Ask an operator, who enables it with PUT /v1/accounts/{id}/central-send.',
  );
}

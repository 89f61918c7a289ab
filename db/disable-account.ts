import { sql } from 'kysely';
import type { Actor } from '../domain/actor.ts';
import { type Account, findAccount } from './accounts.ts';
import type { Trx } from './database.ts';
import { endHold } from './lift-hold.ts';
import { placeHold } from './place-hold.ts';

/** Closes a locked account's gate: from its commit on nothing of it is sent, and its own keys only read. */
export async function disableAccount(
  trx: Trx,
  reason: string,
  {
    account,
    actor,
    byOperator,
    at,
  }: {
    readonly account: Account;
    readonly actor: Actor;
    readonly byOperator: boolean;
    /** Campaign time. */
    readonly at: number;
  },
): Promise<Account> {
  await placeHold(trx, {
    accountId: account.id,
    scope: 'account',
    scopeId: account.id,
    kind: 'disable',
    reason,
    actor,
    byOperator,
    at,
  });
  await trx
    .updateTable('accounts')
    .set((set) => ({
      disabled_at: sql<Date>`clock_timestamp()`,
      disabled_reason: reason,
      disabled_by_operator: byOperator,
      version: set('version', '+', 1),
    }))
    .where('id', '=', account.id)
    .execute();
  return (await findAccount(trx, account.id)) ?? account;
}

/** Opens it again. Resolves with the holds that were lifted, whose campaigns have to be woken. */
export async function enableAccount(
  trx: Trx,
  account: Account,
  actor: Actor,
): Promise<{ readonly account: Account; readonly holdIds: readonly string[] }> {
  const holds = await trx
    .selectFrom('holds')
    .where('scope_id', '=', account.id)
    .where('kind', '=', 'disable')
    .where('lifted_at', 'is', null)
    .select('id')
    .execute();
  for (const { id } of holds) await endHold(trx, id, actor);
  await trx
    .updateTable('accounts')
    .set((set) => ({
      disabled_at: null,
      disabled_reason: null,
      disabled_by_operator: false,
      version: set('version', '+', 1),
    }))
    .where('id', '=', account.id)
    .execute();
  return { account: (await findAccount(trx, account.id)) ?? account, holdIds: holds.map(({ id }) => id) };
}

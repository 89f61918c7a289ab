import type { Trx } from './database.ts';

/** What an account lets its parent see. */
export interface Grants {
  /** Recipients, reports, cost, clicks, replies, exports and live events. */
  readonly reports: boolean;
}

/** What the account of this transaction has granted its parent. */
export async function readGrants(trx: Trx): Promise<Grants> {
  const granted = await trx.selectFrom('grants').select('name').execute();
  return { reports: granted.some(({ name }) => name === 'reports') };
}

/** Grants the parent to see the reports, or withdraws it; it holds for the parent's next request and open streams. */
export async function setReportsGrant(
  trx: Trx,
  grant: { readonly accountId: string; readonly parentId: string; readonly grantedBy: string },
  isGranted: boolean,
): Promise<void> {
  if (!isGranted) {
    await trx.deleteFrom('grants').where('name', '=', 'reports').execute();
    return;
  }
  await trx
    .insertInto('grants')
    .values({
      account_id: grant.accountId,
      name: 'reports',
      parent_id: grant.parentId,
      granted_by: grant.grantedBy,
    })
    .onConflict((conflict) => conflict.columns(['account_id', 'name']).doNothing())
    .execute();
}

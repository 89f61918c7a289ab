import { monthOf } from '../../domain/zoned-time.ts';
import type { Trx } from '../database.ts';
import { type Claim, type LeaseDraft, narrowTo } from './lease-draft.ts';

/**
 * The campaign's budget. Its row is locked and counted with or without a budget, so that one that is given on the way
 * knows what was spent before. It is less hot than the account's, which comes next.
 */
export async function claimBudget(trx: Trx, draft: LeaseDraft): ReturnType<Claim> {
  if (draft.people.length === 0) return null;
  const { campaignId } = draft.context.lane;
  const { budgetMicroUsd, spentMicroUsd } = await trx
    .selectFrom('campaign_spends')
    .where('campaign_id', '=', campaignId)
    .select(['budget_micro_usd as budgetMicroUsd', 'spent_micro_usd as spentMicroUsd'])
    .forUpdate()
    .executeTakeFirstOrThrow();
  return narrowToMoney(draft, budgetMicroUsd, spentMicroUsd)
    ? null
    : { kind: 'suspend', cause: 'campaign_budget' };
}

/** The account's limit of a calendar month, over all its campaigns. */
export async function claimSpend(trx: Trx, draft: LeaseDraft): ReturnType<Claim> {
  const { lane, account } = draft.context;
  draft.spendMonth = monthOf(draft.at, account.timeZone);
  if (draft.people.length === 0) return null;
  await trx
    .insertInto('spend_months')
    .values({ account_id: lane.accountId, month: draft.spendMonth })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const { spentMicroUsd } = await trx
    .selectFrom('spend_months')
    .where('account_id', '=', lane.accountId)
    .where('month', '=', draft.spendMonth)
    .select('spent_micro_usd as spentMicroUsd')
    .forUpdate()
    .executeTakeFirstOrThrow();
  return narrowToMoney(draft, account.spendLimitMicroUsd, spentMicroUsd)
    ? null
    : { kind: 'suspend', cause: 'spend_limit' };
}

/** Keeps whom the rest of the limit pays for; false when that is nobody. */
function narrowToMoney(draft: LeaseDraft, limitMicroUsd: number | null, spentMicroUsd: number): boolean {
  if (limitMicroUsd === null) return true;
  let claimed = spentMicroUsd;
  const count = draft.people.findIndex((person) => {
    claimed += person.costMicroUsd;
    return claimed > limitMicroUsd;
  });
  if (count > 0) narrowTo(draft, count);
  return count !== 0;
}

/** Counts the cost of a lease that is about to be committed; both rows have been locked by its claims. */
export async function countSpend(trx: Trx, draft: LeaseDraft, costMicroUsd: number): Promise<void> {
  await trx
    .with('campaign', (db) =>
      db
        .updateTable('campaign_spends')
        .set((set) => ({ spent_micro_usd: set('spent_micro_usd', '+', costMicroUsd) }))
        .where('campaign_id', '=', draft.context.lane.campaignId),
    )
    .updateTable('spend_months')
    .set((set) => ({ spent_micro_usd: set('spent_micro_usd', '+', costMicroUsd) }))
    .where('account_id', '=', draft.context.lane.accountId)
    .where('month', '=', draft.spendMonth)
    .execute();
}

import { sql } from 'kysely';
import { MAY_BE_GIVEN_BACK_MS, RECLAIM_DELAY_MS } from '../../domain/dispatch/pace.ts';
import { monthOf } from '../../domain/zoned-time.ts';
import { askedTogether } from '../asked-together.ts';
import type { Trx } from '../database.ts';
import { type Claim, type LeaseDraft, narrowTo, passes, type Refusal } from './lease-draft.ts';
import { IN_FLIGHT_OF_LEASE } from './lease-people.ts';

/**
 * The campaign's budget. Its row is locked and counted with or without a budget, so that one that is given on the way
 * knows what was spent before. It is less hot than the account's, which comes next.
 */
export async function claimBudget(trx: Trx, draft: LeaseDraft): ReturnType<Claim> {
  if (draft.people.length === 0) return passes;
  const { budgetMicroUsd, spentMicroUsd } = await trx
    .selectFrom('campaign_spends')
    .where('campaign_id', '=', draft.lane.campaignId)
    .select(['budget_micro_usd as budgetMicroUsd', 'spent_micro_usd as spentMicroUsd'])
    .forUpdate()
    .executeTakeFirstOrThrow();
  return () =>
    narrowToMoney(draft, budgetMicroUsd, spentMicroUsd) ? null : waitOr(trx, draft, 'campaign_budget');
}

/** The account's limit of a calendar month, over all its campaigns. */
export async function claimSpend(trx: Trx, draft: LeaseDraft): ReturnType<Claim> {
  const { lane, context } = draft;
  draft.spendMonth = monthOf(draft.at, context.account.timeZone);
  if (draft.people.length === 0) return passes;
  const [, { spentMicroUsd }] = await askedTogether([
    trx
      .insertInto('spend_months')
      .values({ account_id: lane.accountId, month: draft.spendMonth })
      .onConflict((conflict) => conflict.doNothing())
      .execute(),
    trx
      .selectFrom('spend_months')
      .where('account_id', '=', lane.accountId)
      .where('month', '=', draft.spendMonth)
      .select('spent_micro_usd as spentMicroUsd')
      .forUpdate()
      .executeTakeFirstOrThrow(),
  ]);
  return () =>
    narrowToMoney(draft, context.account.spendLimitMicroUsd, spentMicroUsd)
      ? null
      : waitOr(trx, draft, 'spend_limit');
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

/**
 * A suspension would halt what other lanes of the campaign have paid for already, so as long as something of it is
 * under way, which may be given back too, the lane waits.
 */
async function waitOr(
  trx: Trx,
  { context }: LeaseDraft,
  cause: 'campaign_budget' | 'spend_limit',
): Promise<Refusal> {
  // A lease whose reports overtook its results may stay open for a while although nobody in it is under way.
  const underWay = await sql`
    select from leases l join waves w on w.id = l.wave_id
    where l.campaign_key = ${context.campaignKey} and l.closed_at is null
      and l.opened_at > clock_timestamp() - ${MAY_BE_GIVEN_BACK_MS} * interval '1 millisecond'
      and ${IN_FLIGHT_OF_LEASE} > 0
    limit 1`.execute(trx);
  return underWay.rows.length === 0
    ? { kind: 'suspend', cause }
    : { kind: 'wait', delayMs: RECLAIM_DELAY_MS };
}

/** Counts the cost of a lease that is about to be committed; both rows have been locked by its claims. */
export async function countSpend(trx: Trx, draft: LeaseDraft, costMicroUsd: number): Promise<void> {
  await trx
    .with('campaign', (db) =>
      db
        .updateTable('campaign_spends')
        .set((set) => ({ spent_micro_usd: set('spent_micro_usd', '+', costMicroUsd) }))
        .where('campaign_id', '=', draft.lane.campaignId),
    )
    .updateTable('spend_months')
    .set((set) => ({ spent_micro_usd: set('spent_micro_usd', '+', costMicroUsd) }))
    .where('account_id', '=', draft.lane.accountId)
    .where('month', '=', draft.spendMonth)
    .execute();
}

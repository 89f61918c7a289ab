import { sql } from 'kysely';
import { countFitting } from '../../domain/dispatch/count-fitting.ts';
import type { LeaseRefusal } from '../../domain/dispatch/dispatch-store.ts';
import { MAY_BE_GIVEN_BACK_MS, RECLAIM_DELAY_MS } from '../../domain/dispatch/pace.ts';
import { monthOf } from '../../domain/zoned-time.ts';
import { askedTogether } from '../asked-together.ts';
import type { Trx } from '../database.ts';
import { prepareQuery } from '../prepared-query.ts';
import { type Claim, type LeaseDraft, narrowTo, passes } from './lease-draft.ts';
import { IN_FLIGHT_OF_LEASE } from './lease-people.ts';

const lockBudget = prepareQuery((db, { campaignId }: { readonly campaignId: string }) =>
  db
    .selectFrom('campaign_spends')
    .where('campaign_id', '=', campaignId)
    .select(['budget_micro_usd as budgetMicroUsd', 'spent_micro_usd as spentMicroUsd'])
    .forUpdate()
    .compile(),
);

/**
 * The campaign's budget. Its row is locked and counted with or without a budget, so that one that is given on the way
 * knows what was spent before. It is less hot than the account's, which comes next.
 */
export async function claimBudget(trx: Trx, draft: LeaseDraft): ReturnType<Claim> {
  if (draft.people.length === 0) return passes;
  const [row] = await lockBudget(trx, draft.lane);
  if (row === undefined) throw new Error('A campaign has no row of what it has spent.');
  const { budgetMicroUsd, spentMicroUsd } = row;
  return () =>
    narrowToMoney(draft, budgetMicroUsd, spentMicroUsd) ? null : waitOr(trx, draft, 'campaign_budget');
}

interface SpendMonth {
  readonly accountId: string;
  readonly month: string;
}

const makeMonth = prepareQuery((db, { accountId, month }: SpendMonth) =>
  db
    .insertInto('spend_months')
    .values({ account_id: accountId, month })
    .onConflict((conflict) => conflict.doNothing())
    .compile(),
);

const lockMonth = prepareQuery((db, { accountId, month }: SpendMonth) =>
  db
    .selectFrom('spend_months')
    .where('account_id', '=', accountId)
    .where('month', '=', month)
    .select('spent_micro_usd as spentMicroUsd')
    .forUpdate()
    .compile(),
);

/** Whoever changes the limit locks the month's row as well, so what is read behind its lock is what was last answered. */
const readLimit = prepareQuery((db, { accountId }: SpendMonth) =>
  db
    .selectFrom('accounts')
    .where('id', '=', accountId)
    .select('spend_limit_micro_usd as limitMicroUsd')
    .compile(),
);

/** The account's limit of a calendar month, over all its campaigns. */
export async function claimSpend(trx: Trx, draft: LeaseDraft): ReturnType<Claim> {
  const { lane, context } = draft;
  draft.spendMonth = monthOf(draft.at, context.account.timeZone);
  if (draft.people.length === 0) return passes;
  const month = { accountId: lane.accountId, month: draft.spendMonth };
  const [, [spent], [account]] = await askedTogether([
    makeMonth(trx, month),
    lockMonth(trx, month),
    readLimit(trx, month),
  ]);
  if (account === undefined) throw new Error('A lane has no account.');
  const spentMicroUsd = spent?.spentMicroUsd ?? 0;
  return () =>
    narrowToMoney(draft, account.limitMicroUsd, spentMicroUsd) ? null : waitOr(trx, draft, 'spend_limit');
}

/** Keeps whom the rest of the limit pays for; false when that is nobody. */
function narrowToMoney(draft: LeaseDraft, limitMicroUsd: number | null, spentMicroUsd: number): boolean {
  if (limitMicroUsd === null || draft.people.length === 0) return true;
  const leftMicroUsd = limitMicroUsd - spentMicroUsd;
  const count = countFitting(draft.people, leftMicroUsd, (person) => person.costMicroUsd);
  if (count > 0) narrowTo(draft, count);
  return count > 0;
}

/**
 * A suspension would halt what other lanes of the campaign have paid for already, so as long as something of it is
 * under way, which may be given back too, the lane waits.
 */
async function waitOr(
  trx: Trx,
  { context, people }: LeaseDraft,
  cause: 'campaign_budget' | 'spend_limit',
): Promise<LeaseRefusal> {
  // A lease whose reports overtook its results stays open until those are recorded, although nobody in it is under way.
  const underWay = await sql`
    select from leases l join waves w on w.id = l.wave_id
    where l.campaign_key = ${context.campaignKey} and l.closed_at is null
      and l.opened_at > clock_timestamp() - ${MAY_BE_GIVEN_BACK_MS} * interval '1 millisecond'
      and ${IN_FLIGHT_OF_LEASE} > 0
    limit 1`.execute(trx);
  return underWay.rows.length === 0
    ? { kind: 'suspend', cause, textMicroUsd: people[0]?.costMicroUsd ?? 0 }
    : { kind: 'wait', delayMs: RECLAIM_DELAY_MS };
}

const addSpend = prepareQuery(
  (db, lease: SpendMonth & { readonly campaignId: string; readonly costMicroUsd: number }) =>
    sql`
      with campaign as (
        update campaign_spends set spent_micro_usd = spent_micro_usd + ${lease.costMicroUsd}::bigint
        where campaign_id = ${lease.campaignId}
      )
      update spend_months set spent_micro_usd = spent_micro_usd + ${lease.costMicroUsd}::bigint
      where account_id = ${lease.accountId} and month = ${lease.month}`.compile(db),
);

/** Counts the cost of a lease that is about to be committed; both rows have been locked by its claims. */
export async function countSpend(trx: Trx, draft: LeaseDraft, costMicroUsd: number): Promise<void> {
  const { accountId, campaignId } = draft.lane;
  await addSpend(trx, { accountId, campaignId, month: draft.spendMonth, costMicroUsd });
}

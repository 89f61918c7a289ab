import { sql } from 'kysely';
import { type Db, type Trx, withAccount } from '../database.ts';
import { giveBackUnits } from '../dispatch/claim-quotas.ts';
import { firstAskOfTest } from '../reconcile/unknown-tests.ts';
import type { ClaimedTest } from './claim-test.ts';

/** What became of the one post of a test. */
export interface TestResult {
  readonly state: 'accepted' | 'rejected' | 'refused' | 'unknown';
  readonly cause: string | null;
  readonly carrierUuid: string | null;
}

/**
 * Records what became of a post. A status report may have been faster, and a retry may have called it unknown; an
 * acceptance that was seen resolves that. What the carrier certainly did not take costs nothing.
 */
export async function recordTest(
  trx: Trx,
  test: Pick<ClaimedTest, 'testId' | 'units' | 'quotaClaims'>,
  result: TestResult,
): Promise<void> {
  const recorded = await trx
    .updateTable('test_sends')
    .set({
      state: result.state,
      cause: result.cause,
      text: null,
      carrier_uuid: sql<string | null>`coalesce(carrier_uuid, ${result.carrierUuid})`,
      answered_at: sql<Date>`clock_timestamp()`,
      next_ask_at: result.state === 'unknown' ? firstAskOfTest() : null,
    })
    .where('id', '=', test.testId)
    .where('state', 'in', ['posting', 'unknown'])
    .returning(['account_id', 'spend_month', 'cost_micro_usd'])
    .executeTakeFirst();
  const isFree = result.state === 'rejected' || result.state === 'refused';
  if (recorded === undefined || !isFree || recorded.spend_month === null) return;
  await trx
    .updateTable('spend_months')
    .set({ spent_micro_usd: sql<number>`greatest(0, spent_micro_usd - ${recorded.cost_micro_usd})` })
    .where('account_id', '=', recorded.account_id)
    .where('month', '=', recorded.spend_month)
    .execute();
  await giveBackUnits(trx, test.quotaClaims, test.units);
}

/** A status report of the carrier on a test. */
export interface TestReport {
  readonly accountId: string;
  readonly key: number;
  /** E.164. */
  readonly to: string;
  readonly uuid: string;
  readonly status: 'queued' | 'sent' | 'delivered' | 'undelivered' | 'failed' | 'rejected';
  readonly errorCode: string | null;
  readonly billedMicroUsd: number | null;
}

/** Which carrier account sent a test; null when there is no such test. */
export async function carrierAccountOfTest(trx: Trx, key: number): Promise<string | null> {
  const row = await trx
    .selectFrom('test_sends as t')
    .innerJoin('senders as s', 's.id', 't.sender_id')
    .where('t.key', '=', key)
    .select('s.carrier_account_id as id')
    .executeTakeFirst();
  return row?.id ?? null;
}

/**
 * Applies a report: it proves acceptance, binds the test to one carrier uuid and moves forward only. Resolves with
 * `mismatch` for a number or uuid that does not belong to it. Durable when this resolves.
 */
export async function applyTestReport(
  db: Db,
  report: TestReport,
): Promise<'applied' | 'repeated' | 'mismatch'> {
  return withAccount(db, report.accountId, async (trx) => {
    const test = await trx
      .selectFrom('test_sends')
      .where('key', '=', report.key)
      .select(['id', 'number', 'state', 'outcome', 'carrier_uuid as carrierUuid'])
      .forUpdate()
      .executeTakeFirst();
    if (test === undefined || test.number !== report.to) return 'mismatch';
    if (!['posting', 'unknown', 'accepted'].includes(test.state)) return 'mismatch';
    if (test.carrierUuid !== null && test.carrierUuid !== report.uuid) return 'mismatch';
    const outcome = outcomeOf(report.status);
    const isNews =
      outcome !== null && (test.outcome === null || (test.outcome === 'sent' && outcome !== 'sent'));
    await trx
      .updateTable('test_sends')
      .set({
        state: 'accepted',
        cause: null,
        text: null,
        carrier_uuid: report.uuid,
        next_ask_at: null,
        ...(isNews ? { outcome, error_code: report.errorCode, billed_micro_usd: report.billedMicroUsd } : {}),
      })
      .where('id', '=', test.id)
      .execute();
    return isNews || test.state !== 'accepted' ? 'applied' : 'repeated';
  });
}

function outcomeOf(status: TestReport['status']): 'sent' | 'delivered' | 'undelivered' | 'failed' | null {
  if (status === 'queued') return null;
  return status === 'rejected' ? 'failed' : status;
}

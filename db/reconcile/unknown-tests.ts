import { sql } from 'kysely';
import type { Evidence, TestKey, Unknown } from '../../domain/dispatch/unknown-store.ts';
import { type Db, withAccount } from '../database.ts';
import type { TakenDoubt } from './unknowns.ts';

/** How long after it was posted the list is asked first: the carrier reports most texts sooner. */
const TEST_ASK_DELAY_MS = 10_000;
/** Why a test stays unknown that the list, asked long enough afterwards, does not have. */
const NOT_LISTED = 'not_in_list';

/** When the carrier's list is asked for a test that has just become unknown. */
export function firstAskOfTest() {
  return sql<Date>`clock_timestamp() + ${TEST_ASK_DELAY_MS} * interval '1 millisecond'`;
}

/** Takes the unknown test of a carrier account whose turn it is; nobody else is given it until `againAt`. */
export async function takeUnknownTest(
  db: Db,
  carrierAccountId: string,
  at: number,
  againAt: number,
): Promise<Unknown | null> {
  const { rows } = await sql<TestKey & TakenDoubt>`
    select account_id as "accountId", test_key as "testKey", address as "from", number,
      encode(number_hash, 'hex') as "numberHash",
      posted_since as "postedSince", posted_until as "postedUntil"
    from next_unknown_test(${carrierAccountId}, ${new Date(at)}, ${new Date(againAt)})`.execute(db);
  const [row] = rows;
  if (row === undefined) return null;
  return { ...row, postedSince: row.postedSince.getTime(), postedUntil: row.postedUntil.getTime() };
}

/** Asks no more for tests that were posted before an instant of machine time; they stay unknown. */
export async function closeUnknownTests(
  db: Db,
  carrierAccountId: string,
  postedBefore: number,
): Promise<void> {
  await sql`select close_unknown_tests(${carrierAccountId}, ${new Date(postedBefore)})`.execute(db);
}

/** Writes down what the list has said of an unknown test. One that a report has proved meanwhile stays so. */
export async function recordTestVerdict(
  db: Db,
  { accountId, testKey }: TestKey,
  evidence: Evidence,
  uuid: string | null,
): Promise<void> {
  const isAccepted = evidence.verdict === 'accepted';
  await withAccount(db, accountId, (trx) =>
    trx
      .updateTable('test_sends')
      .set((set) => ({
        asks: set('asks', '+', 1),
        next_ask_at: isAccepted ? null : new Date(evidence.nextAskAt),
        ...(isAccepted ? { state: 'accepted', cause: null, carrier_uuid: uuid } : {}),
        ...(evidence.verdict === 'absent' ? { cause: NOT_LISTED } : {}),
      }))
      .where('key', '=', testKey)
      .where('state', '=', 'unknown')
      .execute(),
  );
}

/** Gives an unknown test its turn later, when the list could not be asked. */
export async function putTestOff(db: Db, { accountId, testKey }: TestKey, until: number): Promise<void> {
  await withAccount(db, accountId, (trx) =>
    trx
      .updateTable('test_sends')
      .set({ next_ask_at: new Date(until) })
      .where('key', '=', testKey)
      .where('state', '=', 'unknown')
      .execute(),
  );
}

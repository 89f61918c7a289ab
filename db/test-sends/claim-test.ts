import { sql } from 'kysely';
import type { QuotaClaim } from '../../domain/dispatch/dispatch-store.ts';
import { INSTALLATION } from '../../domain/hold.ts';
import { isQuiet, quietFrom } from '../../domain/quiet-hours.ts';
import { isRegistered } from '../../domain/registration.ts';
import { TEST_AGE_MS_MAX } from '../../domain/test-send.ts';
import { monthOf } from '../../domain/zoned-time.ts';
import type { Trx } from '../database.ts';
import { grantQuotas } from '../dispatch/claim-quotas.ts';
import { grantPace, grantRequests } from '../dispatch/grants.ts';
import { lockOpenGates } from '../gates.ts';
import { gravestSuppression } from '../left-out.ts';
import { quotasOfSender } from '../quotas.ts';
import { firstAskOfTest } from '../reconcile/unknown-tests.ts';

/** A test that may be posted, once. */
export interface ClaimedTest {
  readonly testId: string;
  readonly key: number;
  readonly accountId: string;
  readonly carrierAccountId: string;
  readonly from: string;
  readonly to: string;
  /** Hexadecimal. */
  readonly numberHash: string;
  readonly text: string;
  readonly mediaTokens: readonly string[];
  /** Scopes whose gates are looked at again just before the post. */
  readonly scopes: readonly string[];
  /** What it counts of each quota, and which quotas those are. */
  readonly units: number;
  readonly quotaClaims: readonly QuotaClaim[];
  /** Machine milliseconds that pace and the carrier's limit demand first. */
  readonly delayMs: number;
  /** Campaign time from which on it may not go out; null where quiet hours are none or confirmed. */
  readonly closesAt: number | null;
}

/** A permission, or nothing to do: it was refused, sent or given up on. */
export type TestClaim = { readonly kind: 'post'; readonly test: ClaimedTest } | { readonly kind: 'over' };

/** A pace that is further ahead belongs to campaigns; whoever tests tries again later. */
const DELAY_MS_MAX = 60_000;

/**
 * Lets a test pass that still may go out, and writes that it is being posted: durable before the text leaves, so that a
 * crash leaves it unknown and nobody sends it again. `at` is campaign time.
 */
export async function claimTest(
  trx: Trx,
  input: { readonly testId: string; readonly at: number },
): Promise<TestClaim> {
  const test = await lockTest(trx, input.testId);
  if (test === null) return { kind: 'over' };
  if (test.state === 'posting') {
    await end(trx, test.id, 'unknown', 'worker_lost');
    return { kind: 'over' };
  }
  if (test.state !== 'requested') return { kind: 'over' };
  if (test.text === null || test.number === null) {
    await end(trx, test.id, 'refused', 'erased');
    return { kind: 'over' };
  }
  const scopes = [INSTALLATION, test.accountId, test.campaignId, test.messageId, test.senderId];
  const cause = await refusalOf(trx, test, scopes, input.at);
  if (cause !== null) {
    await end(trx, test.id, 'refused', cause);
    return { kind: 'over' };
  }
  const spendMonth = await claimSpend(trx, test, input.at);
  if (spendMonth === null) {
    await end(trx, test.id, 'refused', 'spend_limit');
    return { kind: 'over' };
  }
  const units = test.kind === 'mms' ? 1 : test.segments;
  const shared = await grantQuotas(trx, await quotasOfSender(trx, test.senderId), units, input.at);
  if (shared === null) {
    await giveBackSpend(trx, test, spendMonth);
    await end(trx, test.id, 'refused', 'daily_cap');
    return { kind: 'over' };
  }
  const requests = await grantRequests(trx, test.carrierAccountId, 1);
  const pace = await grantPace(trx, { id: test.senderId, pace: test.pace }, test.kind, units);
  await trx
    .updateTable('test_sends')
    .set({ state: 'posting', spend_month: spendMonth })
    .where('id', '=', test.id)
    .execute();
  return {
    kind: 'post',
    test: {
      testId: test.id,
      key: test.key,
      accountId: test.accountId,
      carrierAccountId: test.carrierAccountId,
      from: test.address,
      to: test.number,
      numberHash: test.numberHash.toString('hex'),
      text: test.text,
      mediaTokens: test.mediaTokens ?? [],
      scopes,
      units,
      quotaClaims: shared.claims,
      delayMs: Math.max(shared.delayMs, requests.delayMs, pace.delayMs),
      closesAt: test.inQuietHours ? null : quietFrom(input.at, test.quietHours, test.timeZone),
    },
  };
}

type LockedTest = NonNullable<Awaited<ReturnType<typeof lockTest>>>;

async function lockTest(trx: Trx, testId: string) {
  const row = await trx
    .selectFrom('test_sends as t')
    .innerJoin('accounts as a', 'a.id', 't.account_id')
    .innerJoin('senders as s', 's.id', 't.sender_id')
    .innerJoin('campaigns as c', 'c.id', 't.campaign_id')
    .leftJoin('contacts as p', 'p.id', 't.contact_id')
    .where('t.id', '=', testId)
    .select([
      't.id',
      't.key',
      't.account_id as accountId',
      't.campaign_id as campaignId',
      't.message_id as messageId',
      't.sender_id as senderId',
      't.number',
      't.number_hash as numberHash',
      't.country',
      't.contact_id as contactId',
      'p.id as knownContactId',
      'c.deleted_at as campaignDeletedAt',
      't.text',
      't.segments',
      't.cost_micro_usd as costMicroUsd',
      't.in_quiet_hours as inQuietHours',
      't.state',
      'a.time_zone as timeZone',
      'a.quiet_start as quietStart',
      'a.quiet_end as quietEnd',
      'a.countries',
      's.address',
      's.disabled_at as disabledAt',
      's.registration',
      's.registration_expires_on as registrationExpiresOn',
      's.carrier_account_id as carrierAccountId',
      's.segments_per_second as segmentsPerSecond',
      's.mms_per_second as mmsPerSecond',
    ])
    .select(sql<'sms' | 'mms'>`t.kind`.as('kind'))
    .select(sql<number>`(extract(epoch from clock_timestamp() - t.requested_at) * 1000)::float8`.as('ageMs'))
    .select(
      sql<string[] | null>`(select array_agg(m.token order by array_position(t.media_ids, m.id))
        from media m where m.id = any(t.media_ids))`.as('mediaTokens'),
    )
    .forUpdate('t')
    .executeTakeFirst();
  if (row === undefined) return null;
  return {
    ...row,
    quietHours: { start: row.quietStart, end: row.quietEnd },
    pace: row.kind === 'mms' ? row.mmsPerSecond : row.segmentsPerSecond,
  };
}

/** Why it may not go out now, or null. A test waits for nothing: whoever ordered it is looking at his phone. */
async function refusalOf(
  trx: Trx,
  test: LockedTest,
  scopes: readonly string[],
  at: number,
): Promise<string | null> {
  if (test.ageMs > TEST_AGE_MS_MAX) return 'too_late';
  if (test.campaignDeletedAt !== null) return 'campaign_deleted';
  // Its text says what is known of somebody who is not to be known any more.
  if (test.contactId !== null && test.knownContactId === null) return 'contact_deleted';
  if (!(await lockOpenGates(trx, scopes))) return 'held';
  if (test.disabledAt !== null) return 'sender_disabled';
  if (!isRegistered(test, at)) return 'registration_lapsed';
  if (!test.countries.includes(test.country)) return 'country_not_allowed';
  if (!test.inQuietHours && isQuiet(at, test.quietHours, test.timeZone)) return 'quiet_hours';
  const registered = await trx
    .selectFrom('test_numbers')
    .where('number', '=', test.number)
    .select('id')
    .executeTakeFirst();
  if (registered === undefined) return 'number_not_registered';
  const suppression = await gravestSuppression(trx, test.accountId, test.senderId, test.numberHash);
  if (suppression !== null) return suppression;
  const delay = await sql<{ delayMs: number }>`
    select (extract(epoch from greatest(
        p.next_free_at, p.slowed_until, c.next_request_at, c.paused_until, clock_timestamp()
      ) - clock_timestamp()) * 1000)::float8 as "delayMs"
    from sender_paces p, carrier_accounts c
    where p.sender_id = ${test.senderId} and p.kind = ${test.kind} and c.id = ${test.carrierAccountId}`.execute(
    trx,
  );
  return (delay.rows[0]?.delayMs ?? 0) > DELAY_MS_MAX ? 'rate_limited' : null;
}

/**
 * Counts the test as spent. Resolves with the month, or null when the account's limit does not allow it. Whoever changes the
 * limit locks the month's row as well, so what is read behind its lock is what was last answered.
 */
async function claimSpend(trx: Trx, test: LockedTest, at: number): Promise<string | null> {
  const month = monthOf(at, test.timeZone);
  await trx
    .insertInto('spend_months')
    .values({ account_id: test.accountId, month })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const ofMonth = { account_id: test.accountId, month };
  const { spent } = await trx
    .selectFrom('spend_months')
    .where((where) => where.and(ofMonth))
    .select('spent_micro_usd as spent')
    .forUpdate()
    .executeTakeFirstOrThrow();
  const { limit } = await trx
    .selectFrom('accounts')
    .where('id', '=', test.accountId)
    .select('spend_limit_micro_usd as limit')
    .executeTakeFirstOrThrow();
  if (limit !== null && spent + test.costMicroUsd > limit) return null;
  await trx
    .updateTable('spend_months')
    .set({ spent_micro_usd: spent + test.costMicroUsd })
    .where((where) => where.and(ofMonth))
    .execute();
  return month;
}

async function giveBackSpend(trx: Trx, test: LockedTest, month: string): Promise<void> {
  await trx
    .updateTable('spend_months')
    .set((set) => ({ spent_micro_usd: set('spent_micro_usd', '-', test.costMicroUsd) }))
    .where('account_id', '=', test.accountId)
    .where('month', '=', month)
    .execute();
}

async function end(trx: Trx, testId: string, state: 'refused' | 'unknown', cause: string): Promise<void> {
  await trx
    .updateTable('test_sends')
    .set({
      state,
      cause,
      text: null,
      answered_at: sql<Date>`clock_timestamp()`,
      next_ask_at: state === 'unknown' ? firstAskOfTest() : null,
    })
    .where('id', '=', testId)
    .execute();
}

import { sql } from 'kysely';
import type { HoldScope } from '../domain/hold.ts';
import type { Trx } from './database.ts';
import { IN_FLIGHT_OF_LEASE } from './dispatch/lease-people.ts';

/** Part of the whole that a gate closes. */
export interface Scope {
  readonly scope: HoldScope;
  readonly scopeId: string;
}

/**
 * Recipients of open leases without a result and tests that are being posted: those whose texts may still be on their
 * way. Behind a closed gate it only falls, so what it says right after the gate was closed is the most that still goes
 * out.
 */
export async function inFlight(trx: Trx, scope: Scope): Promise<number> {
  return (await recipientsInFlight(trx, scope)) + (await testsInFlight(trx, scope));
}

async function recipientsInFlight(trx: Trx, { scope, scopeId }: Scope): Promise<number> {
  if (scope === 'installation') {
    const all = await sql<{ people: number }>`select installation_in_flight() as people`.execute(trx);
    return all.rows[0]?.people ?? 0;
  }
  const leases = trx
    .selectFrom('leases as l')
    .innerJoin('waves as w', 'w.id', 'l.wave_id')
    .where('l.closed_at', 'is', null)
    .select(sql<number>`coalesce(sum(${IN_FLIGHT_OF_LEASE}), 0)::int`.as('people'));
  const row = await leases
    .$if(scope === 'account', (query) => query.where('l.account_id', '=', scopeId))
    .$if(scope === 'sender', (query) => query.where('l.sender_id', '=', scopeId))
    .$if(scope === 'campaign', (query) =>
      query.where('l.campaign_key', '=', (select) =>
        select.selectFrom('campaigns').where('id', '=', scopeId).select('key'),
      ),
    )
    .$if(scope === 'message', (query) =>
      query.where('l.message_key', '=', (select) =>
        select.selectFrom('messages').where('id', '=', scopeId).select('key'),
      ),
    )
    .executeTakeFirstOrThrow();
  return row.people;
}

const TEST_COLUMNS = {
  account: 'account_id',
  sender: 'sender_id',
  campaign: 'campaign_id',
  message: 'message_id',
} as const;

async function testsInFlight(trx: Trx, { scope, scopeId }: Scope): Promise<number> {
  if (scope === 'installation') {
    const all = await sql<{ tests: number }>`select installation_tests_in_flight() as tests`.execute(trx);
    return all.rows[0]?.tests ?? 0;
  }
  const row = await trx
    .selectFrom('test_sends')
    .where('state', '=', 'posting')
    .where(TEST_COLUMNS[scope], '=', scopeId)
    .select((select) => select.fn.countAll<number>().as('tests'))
    .executeTakeFirstOrThrow();
  return row.tests;
}

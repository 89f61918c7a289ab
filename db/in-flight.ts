import { sql } from 'kysely';
import { STRAGGLING_MS_MAX } from '../domain/dispatch/stragglers.ts';
import type { HoldScope } from '../domain/hold.ts';
import type { Trx } from './database.ts';
import { IN_FLIGHT_OF_LEASE } from './dispatch/lease-people.ts';

/** The doubt of an attempt that was lost with its lane. */
const LOST = 3;

/** Part of the whole that a gate closes. */
export interface Scope {
  readonly scope: HoldScope;
  readonly scopeId: string;
}

/**
 * Recipients of open leases without a result, those given up with a lane that may still post, and tests that are being
 * posted: those whose texts may still be on their way. Behind a closed gate it only falls, so what it says right after the
 * gate was closed is the most that still goes out.
 */
export async function inFlight(trx: Trx, scope: Scope): Promise<number> {
  return (
    (await recipientsInFlight(trx, scope)) +
    (await stragglers(trx, scope)) +
    (await testsInFlight(trx, scope))
  );
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

/** Whoever was leased by a lane that was given up as lost a short while ago: it may live, and not have heard of it. */
async function stragglers(trx: Trx, { scope, scopeId }: Scope): Promise<number> {
  if (scope === 'installation') {
    const all = await sql<{ people: number }>`
      select installation_stragglers(${STRAGGLING_MS_MAX}) as people`.execute(trx);
    return all.rows[0]?.people ?? 0;
  }
  const row = await trx
    .selectFrom('unknowns as u')
    .where(sql<boolean>`u.doubt = ${sql.lit(LOST)}`)
    .where('u.state', '<>', 'accepted')
    .where(sql<boolean>`u.posted_until > clock_timestamp() - ${STRAGGLING_MS_MAX} * interval '1 millisecond'`)
    .select(sql<number>`count(*)::int`.as('people'))
    .$if(scope === 'account', (query) => query.where('u.account_id', '=', scopeId))
    .$if(scope === 'sender', (query) =>
      query.where(
        sql<boolean>`exists (select from attempts a join leases l on l.month = a.month and l.id = a.lease_id
          where a.month = u.month and a.message_key = u.message_key and a.recipient = u.recipient
            and a.attempt = u.attempt and l.sender_id = ${scopeId})`,
      ),
    )
    .$if(scope === 'campaign', (query) =>
      query.where('u.campaign_key', '=', (select) =>
        select.selectFrom('campaigns').where('id', '=', scopeId).select('key'),
      ),
    )
    .$if(scope === 'message', (query) =>
      query.where('u.message_key', '=', (select) =>
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

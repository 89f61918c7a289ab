import { sql } from 'kysely';
import { type Progress, progressOf } from '../domain/progress.ts';
import { nameOfActor } from './actor-names.ts';
import type { Db, Trx } from './database.ts';

/** Something that happened, as it was when its transaction committed. */
export interface LiveEvent {
  /** Orders the events of all accounts. */
  readonly position: number;
  readonly accountId: string;
  /** Its public id, ascending by commit within its account. */
  readonly number: number;
  readonly campaignId: string | null;
  readonly kind: string;
  readonly at: Date;
  readonly data: Readonly<Record<string, unknown>>;
  /** How who acted, and the key that was used, are called today; null for nobody of the account. */
  readonly actorName: string | null;
  readonly keyName: string | null;
}

/** How far a campaign has come. */
export interface CampaignProgress {
  readonly campaignId: string;
  readonly accountId: string;
  readonly progress: Progress;
}

const NUMBERED_AT_ONCE = 5_000;
const PROGRESS_CAMPAIGNS_MAX = 1_000;
/** Longer than any fold takes from its first statement to its commit. */
const FOLD_MS_MAX = 60_000;
/** How long events are kept for readers who come back. */
const EVENTS_KEPT = '24 hours';

/** Gives what has committed its numbers. Resolves with the newest position: all up to it can be read from now on. */
export async function numberEvents(db: Db): Promise<number> {
  const rows = await sql<{ newest: number }>`select number_events(${NUMBERED_AT_ONCE}) as newest`.execute(db);
  return rows.rows[0]?.newest ?? 0;
}

/** Events of these accounts after a position, in their order. */
export async function eventsAfter(
  db: Db,
  position: number,
  accountIds: readonly string[],
  limit: number,
): Promise<LiveEvent[]> {
  const rows = await sql<LiveEvent>`
    select position, account_id as "accountId", number, campaign_id as "campaignId", kind, at, data,
      actor_name as "actorName", key_name as "keyName"
    from events_after(${position}, ${[...accountIds]}::text[], ${limit})`.execute(db);
  return rows.rows;
}

/** Events of the transaction's account, or of one of its campaigns, after a number. */
export async function eventsSince(
  trx: Trx,
  accountId: string,
  campaignId: string | null,
  number: number,
  limit: number,
): Promise<LiveEvent[]> {
  return trx
    .selectFrom('events')
    .where('account_id', '=', accountId)
    .where('number', '>', number)
    .$if(campaignId !== null, (query) => query.where('campaign_id', '=', campaignId))
    .select([
      'position',
      'account_id as accountId',
      'number',
      'campaign_id as campaignId',
      'kind',
      'at',
      'data',
      nameOfActor(sql`coalesce(data->>'by', data->>'acknowledgedBy')`).as('actorName'),
      nameOfActor(sql`data->>'key'`).as('keyName'),
    ])
    .orderBy('number')
    .limit(limit)
    .execute();
}

/** The newest number of an account's events, and up to which one they are not kept any more. */
export async function eventNumbers(
  trx: Trx,
  accountId: string,
): Promise<{ readonly last: number; readonly forgotten: number }> {
  const row = await trx
    .selectFrom('event_counters')
    .where('account_id', '=', accountId)
    .select(['last', 'forgotten'])
    .executeTakeFirst();
  return row ?? { last: 0, forgotten: 0 };
}

/** Forgets events that nobody can come back for any more. */
export async function forgetEvents(db: Db): Promise<void> {
  await sql`select forget_events(${EVENTS_KEPT}::interval)`.execute(db);
}

interface CounterRow {
  readonly campaignId: string;
  readonly accountId: string;
  readonly recipients: number;
  readonly counter: string | null;
  readonly value: number;
}

/**
 * How far those campaigns have come that made progress since somebody asked last, `sinceMs` ago: these, and all of
 * these accounts. Some that made none are among them.
 */
export async function liveProgress(
  db: Db,
  accountIds: readonly string[],
  campaignIds: readonly string[],
  sinceMs: number,
): Promise<CampaignProgress[]> {
  const rows = await sql<CounterRow>`
    select campaign_id as "campaignId", account_id as "accountId", recipients, counter, value
    from live_progress(${[...accountIds]}::text[], ${[...campaignIds]}::text[], ${sinceMs + FOLD_MS_MAX} * interval '1 millisecond', ${PROGRESS_CAMPAIGNS_MAX})`.execute(
    db,
  );
  return progressesOf(rows.rows);
}

/**
 * How far a campaign has come, or those of the account that made progress after an event that somebody has seen last,
 * for whoever begins to listen: what he missed of it is in here.
 */
export async function progressSince(
  trx: Trx,
  accountId: string,
  campaignId: string | null,
  number: number,
): Promise<CampaignProgress[]> {
  const rows = await sql<CounterRow>`
    with seen as (
      select coalesce((select e.at from events e where e.account_id = ${accountId} and e.number <= ${number}
        order by e.number desc limit 1), clock_timestamp())
        - ${FOLD_MS_MAX} * interval '1 millisecond' as at
    ), wanted as materialized (
      select distinct c.id, c.audience_size from campaigns c join messages m on m.campaign_id = c.id
      where c.deleted_at is null and ${
        campaignId === null
          ? sql`m.key in (
              select d.message_key from rollup_deltas d where d.account_id = ${accountId}
              union all
              select r.message_key from rollups r
              where r.account_id = ${accountId} and r.folded_at > (select at from seen))`
          : sql`c.id = ${campaignId}`
      }
      order by c.id desc limit ${PROGRESS_CAMPAIGNS_MAX}
    )
    select w.id as "campaignId", ${accountId} as "accountId", x.counter, coalesce(sum(x.value), 0)::bigint as value,
      coalesce(w.audience_size, 0) * (select count(*) from messages n where n.campaign_id = w.id) as recipients
    from wanted w join messages m on m.campaign_id = w.id left join lateral (
      select r.counter, r.value from rollups r where r.message_key = m.key
      union all
      select d.counter, d.delta from rollup_deltas d where d.message_key = m.key
    ) x on true
    group by w.id, w.audience_size, x.counter`.execute(trx);
  return progressesOf(rows.rows);
}

function progressesOf(rows: readonly CounterRow[]): CampaignProgress[] {
  const campaigns = new Map<string, { row: CounterRow; counters: Map<string, number> }>();
  for (const row of rows) {
    const campaign = campaigns.get(row.campaignId) ?? { row, counters: new Map<string, number>() };
    if (row.counter !== null) campaign.counters.set(row.counter, row.value);
    campaigns.set(row.campaignId, campaign);
  }
  return [...campaigns.values()].map(({ row, counters }) => ({
    campaignId: row.campaignId,
    accountId: row.accountId,
    progress: progressOf(counters, row.recipients),
  }));
}

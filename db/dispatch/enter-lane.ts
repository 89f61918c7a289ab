import { sql } from 'kysely';
import { type LaneRef, NO_FENCE } from '../../domain/dispatch/dispatch-store.ts';
import { isLaneOvertaken } from '../../domain/dispatch/message-plan.ts';
import { roundCounter } from '../../domain/dispatch/result-counters.ts';
import { type Db, type Trx, withLedger } from '../database.ts';
import { PEOPLE_OF_LEASE } from './lease-people.ts';
import { leaveFormerStates, lockRepeats } from './repeats.ts';
import { count, type Deltas, writeDeltas } from './rollup.ts';

/**
 * Takes the lane's next fence number. A lease that an older run left open says nothing about who was
 * texted, so its recipients without a result become unknown: they are never handed out again. A run that a later plan of
 * the message has overtaken enters nothing.
 */
export async function enterLane(
  db: Db,
  lane: LaneRef,
  askedAt: number,
): Promise<{ fence: number; unknown: number }> {
  return withLedger(db, lane.accountId, async (trx) => {
    // A plan locks the row for its update, so one that is under way comes before or after all of this.
    const { key, plannedAt } = await trx
      .selectFrom('messages')
      .where('id', '=', lane.messageId)
      .select(['key', 'planned_at as plannedAt'])
      .forShare()
      .executeTakeFirstOrThrow();
    if (isLaneOvertaken(askedAt, { plannedAt: plannedAt?.getTime() ?? null })) {
      return { fence: NO_FENCE, unknown: 0 };
    }
    const asked_at = new Date(askedAt);
    const { fence } = await trx
      .insertInto('lanes')
      .values({ account_id: lane.accountId, message_key: key, lane: lane.lane, fence: 1, asked_at })
      .onConflict((conflict) =>
        conflict
          .columns(['message_key', 'lane'])
          .doUpdateSet((set) => ({ fence: set('lanes.fence', '+', 1), asked_at })),
      )
      .returning('fence')
      .executeTakeFirstOrThrow();
    const unknown = await closeOpenLeases(trx, lane.accountId, key, lane.lane);
    return { fence, unknown };
  });
}

/** The same for every lane of a message, when none of them should be running. Resolves with how many became unknown. */
export async function fenceMessage(trx: Trx, accountId: string, messageKey: number): Promise<number> {
  await trx
    .updateTable('lanes')
    .set((set) => ({ fence: set('fence', '+', 1) }))
    .where('message_key', '=', messageKey)
    .execute();
  return closeOpenLeases(trx, accountId, messageKey, null);
}

async function closeOpenLeases(
  trx: Trx,
  accountId: string,
  messageKey: number,
  lane: number | null,
): Promise<number> {
  await lockRepeats(trx, messageKey);
  // A recipient without a row of his own is found through the range. What was claimed for him stands in the lease, or is
  // his share of what it claimed and no result accounts for where it claimed the same for all. Each row is looked up by its whole key (that is what the offsets are
  // for): of what was written just now the planner has no statistics, and would read all of a message.
  const result = await sql<{
    month: string;
    unknown: number;
    segments: number;
    costMicroUsd: number;
    retried: number;
    repeated: { recipient: number; attempt: number; round: number | null }[];
  }>`
    with open as (
      update leases set closed_at = clock_timestamp()
      where (month, id) in (
        select month, id from leases
        where message_key = ${messageKey} and closed_at is null and (${lane}::int is null or lane = ${lane})
        order by id for no key update
      )
      returning month, id, campaign_key, wave_id, ordinal_first, ordinal_last, width, segments, cost_micro_usd,
        segments_each, micro_usd_each
    ), people as (
      select l.month, l.id as lease_id, p.recipient, p.attempt, w.repeats, w.round,
        l.segments_each[p.ordinal - l.ordinal_first + 1] as own_segments,
        l.micro_usd_each[p.ordinal - l.ordinal_first + 1] as own_cost
      from open l join waves w on w.id = l.wave_id cross join lateral (${PEOPLE_OF_LEASE}) p
    ), known as (
      select p.*, a.result, a.segments, a.cost_micro_usd
      from people p
      left join lateral (
        select * from attempts x where x.month = p.month and x.message_key = ${messageKey}
          and x.recipient = p.recipient and x.attempt = p.attempt offset 0
      ) a on true
      where (p.repeats or not exists (select from outcomes x where x.month = p.month
          and x.message_key = ${messageKey} and x.recipient = p.recipient and x.attempt = 0 offset 0))
        and not (p.repeats and exists (select from wave_members m join leases l on l.month = m.month
          and l.id = p.lease_id and m.wave_id = l.wave_id where m.month = p.month and m.recipient = p.recipient
          and m.attempt = p.attempt and m.left_out is not null))
    ), share as (
      select o.id,
        (o.segments - coalesce(sum(k.segments), 0)) / greatest(1, count(*) filter (where k.result is null)) as segments,
        (o.cost_micro_usd - coalesce(sum(k.cost_micro_usd), 0)) / greatest(1, count(*) filter (where k.result is null)) as cost
      from open o join known k on k.lease_id = o.id
      group by o.id, o.segments, o.cost_micro_usd
    ), written as (
      insert into attempts (month, account_id, message_key, recipient, attempt, lease_id, result, cause, segments, cost_micro_usd)
      select l.month, ${accountId}, ${messageKey}, l.recipient, l.attempt, l.lease_id, 'unknown', 'worker_lost',
        coalesce(l.own_segments, greatest(0, s.segments))::smallint, coalesce(l.own_cost, greatest(0, s.cost))::bigint
      from known l join share s on s.id = l.lease_id
      where l.result is null
      order by l.recipient
      on conflict do nothing
      returning segments, cost_micro_usd, recipient, attempt, lease_id
    )
    select max(k.month) as month, count(*)::int as unknown, coalesce(sum(w.segments), 0)::int as segments,
      coalesce(sum(w.cost_micro_usd), 0)::bigint as "costMicroUsd", count(*) filter (where attempt > 1 and not k.repeats)::int as retried,
      coalesce(json_agg(json_build_object('recipient', recipient, 'attempt', attempt, 'round', k.round))
        filter (where k.repeats), '[]') as repeated
    from written w join known k using (recipient, attempt, lease_id)`.execute(trx);
  const row = result.rows[0];
  if (row === undefined || row.unknown === 0) return 0;
  const deltas: Deltas = new Map([
    ['unknown', row.unknown],
    ['segments', row.segments],
    ['estimate_micro_usd', row.costMicroUsd],
    ['left_deferral', row.retried],
  ]);
  await leaveFormerStates(trx, { messageKey, month: row.month }, row.repeated);
  for (const { round } of row.repeated) if (round !== null) count(deltas, roundCounter(round, 'unknown'));
  await writeDeltas(trx, accountId, messageKey, deltas);
  return row.unknown;
}

import { sql } from 'kysely';
import type { Trx } from './database.ts';

/** What an event of a timeline is about. */
export const TIMELINE_KINDS = ['text', 'report', 'left_out', 'reply', 'suppression'] as const;

/** Something that happened between an account and one number. */
export interface TimelineEvent {
  /** Where the next page begins: sorts as events do. */
  readonly cursor: string;
  readonly at: Date;
  readonly kind: (typeof TIMELINE_KINDS)[number];
  readonly campaignId: string | null;
  readonly campaignName: string | null;
  readonly messageId: string | null;
  readonly position: number | null;
  readonly attempt: number | null;
  readonly what: string;
  readonly reason: string | null;
  readonly text: string | null;
}

/**
 * What happened to a number over all campaigns of the account, deleted ones too, the newest first. Its campaigns are
 * found through each audience's unique key: an index by number over all audiences would cost every freeze more.
 */
export async function readTimeline(
  trx: Trx,
  query: {
    readonly accountId: string;
    readonly numberHash: Buffer;
    /** The cursor of the last event that was seen; null from the newest on. */
    readonly after: string | null;
    readonly limit: number;
  },
): Promise<TimelineEvent[]> {
  const { accountId, numberHash } = query;
  const [afterAt = null, afterKey = ''] = query.after?.split('~') ?? [];
  const before =
    afterAt === null
      ? sql`true`
      : sql`(e.micros, e.key collate "C") < (${afterAt}::bigint, ${afterKey}::text)`;
  const events = await sql<TimelineEvent>`
    with him as materialized (
      select c.id, c.name, r.month, r.campaign_key, r.recipient
      from campaigns c join recipients r on r.month = c.audience_month and r.campaign_key = c.key
        and r.number_hash = ${numberHash}
      where c.account_id = ${accountId}
    ), told as materialized (
      select h.id as campaign_id, h.name as campaign_name, h.month, h.recipient, m.id as message_id, m.key as message_key,
        m.position, m.text
      from him h join messages m on m.campaign_id = h.id
    ), events as (
      select a.recorded_at as at, 't' || a.message_key || '.' || a.attempt as key, 'text' as kind,
        t.campaign_id, t.campaign_name, t.message_id, t.position, a.attempt::int, a.result as what, a.cause as reason, t.text
      from told t join attempts a on a.month = t.month and a.message_key = t.message_key and a.recipient = t.recipient
      union all
      select o.recorded_at, 'o' || o.message_key || '.' || o.attempt || o.stage,
        case o.attempt when 0 then 'left_out' else 'report' end,
        t.campaign_id, t.campaign_name, t.message_id, t.position, nullif(o.attempt, 0)::int, o.status, o.reason, null
      from told t join outcomes o on o.month = t.month and o.message_key = t.message_key and o.recipient = t.recipient
      union all
      select i.received_at, 'r' || md5(i.carrier_uuid), 'reply', null, null, null, null, null, i.meaning, null, i.text
      from inbound_messages i where i.account_id = ${accountId} and i.number_hash = ${numberHash}
      union all
      select s.at, 's' || s.id, 'suppression', null, null, null, null, null, s.what || ' ' || s.kind, s.reason, null
      from suppression_history s where s.account_id = ${accountId} and s.number_hash = ${numberHash}
    )
    select e.micros || '~' || e.key as cursor, e.at, e.kind, e.campaign_id as "campaignId",
      e.campaign_name as "campaignName", e.message_id as "messageId", e.position, e.attempt, e.what, e.reason, e.text
    from (select *, (extract(epoch from at) * 1000000)::bigint as micros from events) e
    where ${before}
    order by e.micros desc, e.key collate "C" desc
    limit ${query.limit}`.execute(trx);
  return events.rows;
}

import { type RawBuilder, sql } from 'kysely';

/**
 * Where a recipient `r` stands with a message, by what is known of him: his last attempt `a`, the outcome that left him
 * out `skip`, and the stages `final`, `resolved` and `sent` of that attempt.
 */
export function recipientState(messageKey: number): RawBuilder<string> {
  return sql<string>`
    case
      when skip.status is not null then skip.status
      when final.status is not null then final.status
      when a.result = 'unknown' and resolved.status is null then 'unknown'
      when a.result in ('accepted', 'unknown') then case when sent.status is null then 'accepted' else 'sent' end
      when a.result = 'rejected' then 'rejected'
      when a.result = 'not_accepted' then case when exists (
        select from leases l join waves w on w.id = l.wave_id and w.wave > 0
        join wave_members m on m.month = l.month and m.wave_id = w.id
          and m.ordinal between l.ordinal_first and l.ordinal_last
        where l.campaign_key = r.campaign_key and l.message_key = ${messageKey} and l.closed_at is null
          and m.recipient = r.recipient and m.attempt = a.attempt + 1
      ) then 'in_flight' else 'deferred' end
      when exists (
        select from leases l join waves w on w.id = l.wave_id and w.wave = 0
        join cohorts c on c.campaign_key = l.campaign_key and c.cohort = w.cohort
        where l.campaign_key = r.campaign_key and l.message_key = ${messageKey} and l.closed_at is null
          and r.recipient between c.recipient_first + l.ordinal_first and c.recipient_first + l.ordinal_last
      ) then 'in_flight'
      else 'waiting'
    end`;
}

/**
 * Why he stands there, of the same rows. What explains an attempt explains nothing once the carrier has the text: how a
 * delivered text came to be known is no reason.
 */
export function recipientReason(messageKey: number): RawBuilder<string | null> {
  return sql<string | null>`
    coalesce(skip.reason, final.reason, ${notInList(messageKey)}, case
      when final.status is null and resolved.status is null and a.result <> 'accepted' then a.cause end)`;
}

/** The reason of a recipient's last attempt `a` that is unknown and that the carrier's list does not have; else null. */
function notInList(messageKey: number): RawBuilder<string | null> {
  return sql<string | null>`
    case when a.result = 'unknown' then (
      select 'not_in_list' from unknowns u where u.month = r.month and u.message_key = ${messageKey}
        and u.recipient = r.recipient and u.attempt = a.attempt
        and u.verdict = 'absent' and u.state in ('absent', 'final')
    ) end`;
}

/**
 * The order in which the attempt that says where a recipient stands comes first: the newest, but one that was certainly
 * not accepted changes nothing of what one before it was.
 */
export function newestThatCounts(attempts: string): RawBuilder<unknown> {
  return sql`(${sql.ref(`${attempts}.result`)} = 'not_accepted'), ${sql.ref(`${attempts}.attempt`)} desc`;
}

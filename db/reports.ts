import { sql } from 'kysely';
import type { RecipientState } from '../domain/next-of-recipient.ts';
import { type MessageReport, reportOf } from '../domain/report.ts';
import type { Campaign } from './campaigns.ts';
import type { Trx } from './database.ts';
import type { Message } from './messages.ts';
import { newestThatCounts, recipientReason, recipientState } from './recipient-state.ts';
import { readCounters } from './report-counters.ts';

/** The report of each message, by message id. Exact at any moment: see `readCounters`. */
export async function readReports(
  trx: Trx,
  campaign: Campaign,
  messages: readonly Message[],
): Promise<Map<string, MessageReport>> {
  // Nothing is counted before there is an audience.
  const counted = campaign.audienceFrozenAt === null ? [] : messages;
  const counters = await readCounters(
    trx,
    counted.map((message) => message.key),
  );
  return new Map(
    messages.map((message) => [
      message.id,
      reportOf(counters.get(message.key) ?? new Map(), campaign.audienceSize ?? 0),
    ]),
  );
}

/** One recipient of a message. */
export interface RecipientLine {
  /** His number within the audience, from 1. */
  readonly recipient: number;
  readonly contactId: number;
  /** E.164; null once he has been erased. */
  readonly number: string | null;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly state: RecipientState;
  readonly reason: string | null;
  readonly attempts: number;
}

/** Recipients of a message after a cursor, narrowed to some states. */
export async function listRecipients(
  trx: Trx,
  campaign: Campaign,
  message: Message,
  query: { readonly states: readonly RecipientState[]; readonly after: number; readonly limit: number },
): Promise<RecipientLine[]> {
  if (campaign.audienceFrozenAt === null) return [];
  const result = await sql<RecipientLine>`
    select * from (
      select r.recipient, r.contact_id as "contactId", r.number, p.first_name as "firstName", p.last_name as "lastName",
        coalesce(a.attempt, 0)::int as attempts,
        ${recipientState(message.key)} as state,
        ${recipientReason(message.key)} as reason
      from recipients r
      join campaigns c on c.key = r.campaign_key and c.audience_month = r.month
      left join contacts p on p.id = r.contact_id
      left join lateral (
        select * from attempts x where x.month = r.month and x.message_key = ${message.key} and x.recipient = r.recipient
        order by ${newestThatCounts('x')} limit 1
      ) a on true
      left join outcomes skip on skip.month = r.month and skip.message_key = ${message.key}
        and skip.recipient = r.recipient and skip.attempt = 0 and skip.stage = 'final'
      left join outcomes final on final.month = r.month and final.message_key = ${message.key}
        and final.recipient = r.recipient and final.attempt = a.attempt and final.stage = 'final'
      left join outcomes resolved on resolved.month = r.month and resolved.message_key = ${message.key}
        and resolved.recipient = r.recipient and resolved.attempt = a.attempt and resolved.stage = 'resolved'
      left join outcomes sent on sent.month = r.month and sent.message_key = ${message.key}
        and sent.recipient = r.recipient and sent.attempt = a.attempt and sent.stage = 'sent'
      where r.campaign_key = ${campaign.key} and r.recipient > ${query.after}
    ) x
    where ${query.states.length === 0 ? sql`true` : sql`x.state = any(${[...query.states]}::text[])`}
    order by x.recipient
    limit ${query.limit}`.execute(trx);
  return result.rows;
}

import { sql } from 'kysely';
import type { RecipientState } from '../domain/next-of-recipient.ts';
import type { Campaign } from './campaigns.ts';
import type { Trx } from './database.ts';
import type { Message } from './messages.ts';
import { newestThatCounts, recipientReason, recipientState } from './recipient-state.ts';

/** A recipient and what became of him with one message. */
export interface ExportedRecipient {
  readonly recipient: number;
  readonly position: number;
  readonly messageId: string;
  readonly contactId: number;
  readonly number: string | null;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly state: RecipientState;
  readonly reason: string | null;
  readonly attempts: number;
  readonly segments: number | null;
  /** What the carrier bills, else the estimate. */
  readonly costMicroUsd: number | null;
  readonly carrierUuid: string | null;
  readonly attemptedAt: Date | null;
  readonly reportedAt: Date | null;
}

/** Where an export stands: everybody of the messages before, and of this one up to this recipient. */
export interface ExportPlace {
  readonly position: number;
  readonly recipient: number;
}

/**
 * Recipients after a place, message by message and in the order of the audience. They are numbered without gaps, so a
 * page is a range of each table's key, whatever the planner knows of them.
 */
export async function exportRecipients(
  trx: Trx,
  campaign: Campaign,
  messages: readonly Message[],
  after: ExportPlace,
  limit: number,
): Promise<ExportedRecipient[]> {
  if (campaign.audienceFrozenAt === null || campaign.audienceMonth === null) return [];
  const size = campaign.audienceSize ?? 0;
  for (const message of messages) {
    const from = message.position === after.position ? after.recipient + 1 : 1;
    if (message.position < after.position || from > size) continue;
    const range = { first: from, last: Math.min(size, from + limit - 1) };
    return readRange(trx, { ...campaign, month: campaign.audienceMonth }, message, range);
  }
  return [];
}

async function readRange(
  trx: Trx,
  campaign: { readonly key: number; readonly month: string },
  message: Message,
  { first, last }: { readonly first: number; readonly last: number },
): Promise<ExportedRecipient[]> {
  const { month } = campaign;
  const result = await sql<ExportedRecipient>`
    with tried as (
      select distinct on (x.recipient) x.* from attempts x
      where x.month = ${month} and x.message_key = ${message.key} and x.recipient between ${first} and ${last}
      order by x.recipient, ${newestThatCounts('x')}
    ), told as (
      select x.recipient, x.attempt,
        max(x.status) filter (where x.stage = 'final') as final, max(x.reason) filter (where x.stage = 'final') as reason,
        max(x.billed_micro_usd) filter (where x.stage = 'final') as billed,
        max(x.status) filter (where x.stage = 'resolved') as resolved, max(x.status) filter (where x.stage = 'sent') as sent,
        max(x.carrier_uuid) as uuid, max(x.recorded_at) as at
      from outcomes x
      where x.month = ${month} and x.message_key = ${message.key} and x.recipient between ${first} and ${last}
      group by 1, 2
    )
    select r.recipient, ${message.position}::int as position, ${message.id} as "messageId", r.contact_id as "contactId",
      r.number, p.first_name as "firstName", p.last_name as "lastName", ${recipientState(message.key)} as state,
      ${recipientReason(message.key)} as reason, coalesce(a.attempt, 0)::int as attempts, a.segments,
      coalesce(his.billed, a.cost_micro_usd) as "costMicroUsd", coalesce(a.carrier_uuid, his.uuid) as "carrierUuid",
      a.recorded_at as "attemptedAt", coalesce(his.at, out.at) as "reportedAt"
    from recipients r
    left join contacts p on p.id = r.contact_id
    left join tried a on a.recipient = r.recipient
    left join told his on his.recipient = r.recipient and his.attempt = a.attempt
    left join told out on out.recipient = r.recipient and out.attempt = 0
    cross join lateral (select out.final as status, out.reason) skip
    cross join lateral (select his.final as status, his.reason) final
    cross join lateral (select his.resolved as status) resolved
    cross join lateral (select his.sent as status) sent
    where r.month = ${month} and r.campaign_key = ${campaign.key} and r.recipient between ${first} and ${last}
    order by r.recipient`.execute(trx);
  return result.rows;
}

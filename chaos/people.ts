import type { Client } from 'pg';

/** Somebody who is to get a campaign's only message, as the database knows him. */
export interface Person {
  readonly accountId: string;
  readonly number: string;
  /** Attempts that the carrier has taken for certain. */
  readonly accepted: number;
  readonly unknown: number;
  /** Attempts that the carrier has refused for good. */
  readonly rejected: number;
  /** Skipped or expired, and never attempted. */
  readonly isLeftOut: boolean;
  readonly isSettled: boolean;
}

/** Everybody in the audiences of these campaigns. */
export async function readPeople(db: Client, campaignIds: readonly string[]): Promise<Person[]> {
  const { rows } = await db.query<Person>(
    `select r.account_id as "accountId", r.number,
       count(*) filter (where a.result = 'accepted' or resolved.status is not null)::int as accepted,
       count(*) filter (where a.result = 'unknown' and resolved.status is null)::int as unknown,
       count(*) filter (where a.result = 'rejected')::int as rejected,
       left_out.is_so as "isLeftOut",
       coalesce(bool_or(a.result in ('accepted', 'unknown', 'rejected')), false) or left_out.is_so as "isSettled"
     from campaigns c
     join messages m on m.campaign_id = c.id
     join recipients r on r.month = c.audience_month and r.campaign_key = c.key
     left join attempts a on a.month = r.month and a.message_key = m.key and a.recipient = r.recipient
     left join outcomes resolved on resolved.month = a.month and resolved.message_key = a.message_key
       and resolved.recipient = a.recipient and resolved.attempt = a.attempt and resolved.stage = 'resolved'
     cross join lateral (select exists (select from outcomes s where s.month = r.month and s.message_key = m.key
       and s.recipient = r.recipient and s.attempt = 0) as is_so) left_out
     where c.id = any($1)
     group by r.month, m.key, r.recipient, r.account_id, r.number, left_out.is_so`,
    [campaignIds],
  );
  return rows;
}

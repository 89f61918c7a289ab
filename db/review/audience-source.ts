import { type RawBuilder, sql } from 'kysely';
import type { RoundKind } from '../../domain/round.ts';
import { wantedContacts } from '../audience.ts';
import { peopleOfRound } from '../rounds.ts';

/**
 * Whom a review is about, as a query of one row a person: `person` (the contact that he is or was), `contact_id` (null
 * once it is gone), `number_hash`, `country`, `first_name`, `last_name`, `number`, `custom`.
 */
export type AudienceSource = RawBuilder<unknown>;

/** Who would be frozen from the campaign's lists now. */
export function listedAudience(campaignId: string): AudienceSource {
  return sql`
    select c.id as person, c.id as contact_id, c.number_hash, c.country, c.first_name, c.last_name, c.number, c.custom
    from (${wantedContacts(campaignId)}) w join contacts c on c.id = w.contact_id`;
}

/** Who of a frozen audience has not been leased yet for at least one of these messages. */
export function remainingAudience(campaign: {
  readonly key: number;
  readonly month: string;
  readonly messageKeys: readonly number[];
}): AudienceSource {
  const { key, month } = campaign;
  const keys = sql`any(${[...campaign.messageKeys]}::bigint[])`;
  return sql`
    select r.contact_id as person, p.id as contact_id, r.number_hash, r.country, p.first_name, p.last_name, r.number,
      p.custom
    from (
      select c.recipient_first + o.ordinal as recipient
      from waves w join cohorts c on c.campaign_key = w.campaign_key and c.cohort = w.cohort
        cross join lateral generate_series(w.next_ordinal, w.size - 1) o(ordinal)
      where w.message_key = ${keys} and w.wave = 0
      union
      select m.recipient from waves w join wave_members m on m.month = w.month and m.wave_id = w.id
        and m.ordinal >= w.next_ordinal
      where w.message_key = ${keys} and w.wave > 0
    ) x
    join recipients r on r.month = ${month} and r.campaign_key = ${key} and r.recipient = x.recipient
    left join contacts p on p.id = r.contact_id and p.number = r.number`;
}

/** Whom a round would try again with at least one of these messages. */
export function audienceOfRound(
  kind: RoundKind,
  campaign: { readonly key: number; readonly month: string; readonly messageKeys: readonly number[] },
): AudienceSource {
  const { key, month, messageKeys } = campaign;
  return sql`
    select r.contact_id as person, p.id as contact_id, r.number_hash, r.country, p.first_name, p.last_name, r.number,
      p.custom
    from (select distinct x.recipient from (${peopleOfRound(kind, messageKeys)}) x) x
    join recipients r on r.month = ${month} and r.campaign_key = ${key} and r.recipient = x.recipient
    left join contacts p on p.id = r.contact_id and p.number = r.number`;
}

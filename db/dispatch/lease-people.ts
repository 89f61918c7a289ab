import { sql } from 'kysely';

/**
 * Whom a lease's range holds, with the number of the attempt that it granted and his ordinal in the wave: `recipient,
 * attempt, ordinal`, to be joined laterally to a lease `l` and its wave `w`. Those refused when the lease was made are
 * among them.
 */
export const PEOPLE_OF_LEASE = sql`
  select c.recipient_first + o.ordinal as recipient, 1 as attempt, o.ordinal
  from cohorts c, generate_series(l.ordinal_first, l.ordinal_last) o(ordinal)
  where w.wave = 0 and c.campaign_key = l.campaign_key and c.cohort = w.cohort
  union all
  select m.recipient, m.attempt, m.ordinal from wave_members m
  where w.wave > 0 and m.month = l.month and m.wave_id = w.id
    and m.ordinal between l.ordinal_first and l.ordinal_last`;

/**
 * How many of a lease `l` with its wave `w` may still be on their way: leased, and without a result. Results are
 * counted and not taken from the lease, because a status report can be there before the worker's record. Each is
 * looked up by its whole key (the offset sees to it), whatever the planner knows of what was written just now.
 */
export const IN_FLIGHT_OF_LEASE = sql`(l.width - (
  select count(*) from (${PEOPLE_OF_LEASE}) p cross join lateral (
    select from attempts a where a.month = l.month and a.message_key = l.message_key
      and a.recipient = p.recipient and a.attempt = p.attempt and a.lease_id = l.id offset 0
  ) recorded))`;

import { type Kysely, sql } from 'kysely';

/**
 * Attempts are written in the order of their recipients, as whoever records or fences leases writes them: two that write
 * the same ones in different orders would wait for each other. Reports were taken in the order of their numbers.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    do $do$
    declare
      known text := pg_get_functiondef('apply_status_reports(jsonb)'::regprocedure);
      former text := 'order by r.account, r.lease, r.number, r.index';
      ordered text := $text$cross join lateral (
          select (select min(x.message_key) from leases x
            where x.month = r.month and x.id = r.lease and x.account_id = r.account) as message_key
        ) o
        order by r.account, r.month, o.message_key, (
          select min(x.recipient) from recipients x
          where x.number_hash = decode(r.hash, 'hex') and x.month = r.month and x.campaign_key = (
            select y.campaign_key from leases y
            where y.month = r.month and y.id = r.lease and y.account_id = r.account)
        ), r.lease, r.index$text$;
    begin
      if position(former in known) = 0 then
        raise exception 'apply_status_reports takes reports in another order than this migration knows';
      end if;
      execute replace(known, former, ordered);
    end $do$`.execute(db);
}

import { type Kysely, sql } from 'kysely';

/**
 * At the same local time everywhere the zone counts that the account has when a message is due. What the parent asks about
 * zones, it asks of its own rows, so these follow an account that moves for as long as something of its part may be sent.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    comment on column central_parts.time_zone is
      'The account''s, until its part is done or aborted; null if it was nobody of the parent''s any more at the launch.';
    -- Parts that were stopped or rejected may go on, and follow their account, too.
    drop index central_parts_open;
    create index central_parts_open on central_parts (sub_account_id) where state not in ('done', 'aborted');
    update central_parts p set time_zone = a.time_zone from accounts a
    where a.id = p.sub_account_id and a.parent_id = p.account_id and p.time_zone is distinct from a.time_zone
      and p.state not in ('done', 'aborted');

    create function note_zone() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $fn$
    begin
      -- Their runs are told, since a message may begin earlier now. Locked before the parts, as by their own steps.
      update central_sends s set news_at = clock_timestamp()
      from (
        select o.campaign_id from central_sends o
        where o.campaign_id in (
          select q.central_id from central_parts q
          where q.sub_account_id = new.id and q.account_id = new.parent_id and q.state not in ('done', 'aborted')
        )
        order by o.campaign_id for no key update
      ) whole
      where s.campaign_id = whole.campaign_id;
      update central_parts p set time_zone = new.time_zone
      from (
        select q.central_id, q.number from central_parts q
        where q.sub_account_id = new.id and q.account_id = new.parent_id and q.state not in ('done', 'aborted')
        order by q.central_id, q.number for update
      ) own
      where p.central_id = own.central_id and p.number = own.number;
      return null;
    end $fn$;
    alter function note_zone() owner to carillon_system;
    revoke all on function note_zone() from public;
    grant execute on function note_zone() to carillon_app;
    create trigger note_zone after update of time_zone on accounts
      for each row when (new.parent_id is not null and old.time_zone is distinct from new.time_zone)
      execute function note_zone();`.execute(db);
}

import { type Kysely, sql } from 'kysely';

/**
 * The reason of a part is that of the hold which gives it its state: a stop that a restart is about to lift is none of a
 * part that its own people have paused meanwhile.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create or replace function note_part() returns trigger
    language plpgsql security definer set search_path = public, pg_temp as $fn$
    declare
      shown text;
      why text;
    begin
      shown := case
        when new.deleted_at is not null then 'aborted'
        when new.status in ('paused', 'suspended', 'stopped', 'aborted', 'rejected') then new.status
        when new.status = 'finished' then 'done'
        else 'handed_over' end;
      if new.status = 'rejected' then
        why := 'content_refused';
      elsif shown in ('paused', 'suspended', 'stopped', 'aborted') then
        select coalesce(h.cause, case when h.kind = 'hold' then 'held' else 'by_account' end) into why
        from holds h where h.scope_id = new.id and h.lifted_at is null
        order by
          shown = case h.kind when 'abort' then 'aborted' when 'stop' then 'stopped' when 'suspend' then 'suspended'
            else 'paused' end desc,
          array_position(array['abort', 'stop', 'suspend', 'hold', 'pause'], h.kind), h.placed_at
        limit 1;
      end if;
      update central_parts p
      set state = shown, reason = why, is_news = true, news_at = clock_timestamp(),
        ended_at = case when shown in ('done', 'aborted', 'rejected', 'stopped') then clock_timestamp() end
      where p.campaign_id = new.id and p.state <> 'done'
        and (p.state, p.reason) is distinct from (shown, why);
      return null;
    end $fn$;
    alter function note_part() owner to carillon_system;`.execute(db);
}

import { type Kysely, sql } from 'kysely';

/** What a parent has skipped after it had begun in some accounts is skipped in parts that are made later, too. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table messages add column skipped_at timestamptz;
    comment on column messages.skipped_at is 'Of a central campaign: when it was ordered to skip it where it has not begun.';

    create or replace function make_parts(central text, wanted_slice integer, campaign_ids text[], message_ids text[])
    returns void
    language plpgsql security definer set search_path = public, pg_temp as $fn$
    declare
      whole campaigns%rowtype;
      timing_wanted text;
    begin
      select c.* into whole from campaigns c
      where c.id = central and c.account_id = current_setting('app.account', true) for share;
      if not found or whole.deleted_at is not null or whole.status in ('stopped', 'aborted', 'rejected', 'draft') then
        return;
      end if;
      select s.timing into timing_wanted from central_sends s where s.campaign_id = central;
      perform a.id from accounts a
      where a.id in (select p.sub_account_id from central_parts p
        where p.central_id = central and p.slice = wanted_slice and p.campaign_id is null and p.state = 'waiting')
      order by a.id for share;
      perform p.number from central_parts p
      where p.central_id = central and p.slice = wanted_slice and p.campaign_id is null and p.state = 'waiting'
      order by p.number for update;

      update central_parts p
      set state = 'aborted', ended_at = clock_timestamp(), is_news = true, news_at = clock_timestamp(),
        reason = case when a.parent_id is distinct from whole.account_id then 'account_left' else 'account_disabled' end
      from accounts a
      where p.central_id = central and p.slice = wanted_slice and p.campaign_id is null and p.state = 'waiting'
        and a.id = p.sub_account_id and (a.parent_id is distinct from whole.account_id or a.disabled_at is not null);

      create temporary table made on commit drop as
        select p.number, p.sub_account_id, campaign_ids[(row_number() over (order by p.number))::integer] as campaign_id,
          (row_number() over (order by p.number) - 1)::integer as place
        from central_parts p
        where p.central_id = central and p.slice = wanted_slice and p.campaign_id is null and p.state = 'waiting';
      create temporary table made_messages on commit drop as
        select m.*, (row_number() over (order by m.position) - 1)::integer as place,
          (count(*) over ())::integer as messages,
          m.status in ('scheduled', 'sending') and m.skipped_at is null as is_open,
          -- The parent's own row shows when the first zone is due, which is no word for the others.
          timing_wanted <> 'local_time' or m.schedule_local is null as is_due_alike,
          (select array_agg(x.token order by array_position(m.media_ids, x.id)) from media x
            where x.id = any(m.media_ids)) as tokens
        from messages m where m.campaign_id = central;

      insert into gates (scope_id) select campaign_id from made;
      insert into campaigns (id, account_id, kind, name, purpose, acknowledged_at, acknowledged_by, status, start_mode,
                             launched_at, content_overruled_by, created_by, central_id, parent_id, parent_name)
        select n.campaign_id, n.sub_account_id, 'central', whole.name, whole.purpose, whole.acknowledged_at,
          whole.acknowledged_by, 'processing', whole.start_mode, whole.launched_at, whole.content_overruled_by,
          whole.account_id, central,
          whole.account_id, parent.name
        from made n, accounts parent where parent.id = whole.account_id;
      insert into campaign_spends (campaign_id, account_id)
        select n.campaign_id, n.sub_account_id from made n;
      insert into campaign_lists (account_id, campaign_id, list_id, excluded)
        select n.sub_account_id, n.campaign_id, l.list_id, false
        from made n join central_part_lists l on l.central_id = central and l.number = n.number;
      insert into gates (scope_id)
        select message_ids[n.place * m.messages + m.place + 1] from made n, made_messages m;
      insert into messages (id, account_id, campaign_id, position, type, text, media_ids, media_tokens, schedule_local,
                            schedule_zone, in_account_zone, not_before, due_at, expires_at, expires_after_ms, use_prefix,
                            use_suffix, status, ended_at)
        select message_ids[n.place * m.messages + m.place + 1], n.sub_account_id, n.campaign_id, m.position, m.type,
          m.text, m.media_ids, m.tokens, m.schedule_local, m.schedule_zone,
          timing_wanted = 'local_time', m.not_before,
          case when m.is_open and m.is_due_alike then m.due_at end,
          case when m.is_open and m.is_due_alike then m.expires_at end,
          m.expires_after_ms, m.use_prefix, m.use_suffix,
          case when m.is_open then 'scheduled' else 'cancelled' end, case when not m.is_open then coalesce(m.skipped_at, m.ended_at) end
        from made n, made_messages m;
      insert into log (account_id, campaign_id, subject_kind, subject_id, what, to_value, who, via, detail)
        select n.sub_account_id, n.campaign_id, 'campaign', n.campaign_id, 'hand_over', '"processing"'::jsonb, 'system', 'parent',
          jsonb_build_object('parent', whole.account_id)
        from made n;
      update central_parts p set campaign_id = n.campaign_id
        from made n where p.central_id = central and p.number = n.number;
      drop table made, made_messages;
    end $fn$;`.execute(db);
}

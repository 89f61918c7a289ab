import { type Kysely, sql } from 'kysely';

const FUNCTIONS = [
  'campaigns_to_run(text, integer)',
  'centrals_to_run(text, integer)',
  'campaigns_waiting_on(text, text, text, integer)',
  'slices_to_look(integer)',
  'note_part()',
  'central_holds(text)',
  'fix_parts(text)',
  'make_parts(text, integer, text[], text[])',
  'end_waiting_parts(text)',
];

/**
 * Campaigns that a parent sends for its sub-accounts. The parent's own row is the central campaign; each sub-account has
 * a row of its own, its part. What the parent may know of a part stands in a table of the parent's, which a trigger
 * keeps: states and codes, and never a count.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table campaigns
      add column central_id text references campaigns,
      add column parent_id text references accounts,
      add column parent_name text,
      add column detached_at timestamptz,
      add constraint campaigns_kind check (kind in ('standard', 'central')),
      add constraint campaigns_part check (central_id is null or (kind = 'central' and parent_id is not null));
    comment on column campaigns.central_id is 'Of a part: whose. A central campaign itself and a standard one have none.';
    comment on column campaigns.parent_name is 'What the parent was called at the launch, should the account leave it.';
    comment on column campaigns.detached_at is 'Since when the gates of the central campaign count no more for the part.';
    create index on campaigns (central_id) where central_id is not null;
    -- The names of parts are the parent's: they neither clash with the account's own nor take one from it.
    drop index campaigns_name;
    create unique index campaigns_name on campaigns (account_id, lower(name))
      where deleted_at is null and central_id is null;

    alter table actions
      add column accounts_reached integer,
      add column accounts_done integer;
    comment on column actions.accounts_reached is 'Of a central campaign: how many parts were not over when it was ordered.';
    comment on column actions.accounts_done is 'Of a central campaign: how many parts were over then.';

    alter table messages
      add column in_account_zone boolean not null default false,
      add column media_tokens text[];
    comment on column messages.in_account_zone is 'Its local time counts in the zone that the account has when it is due.';
    comment on column messages.media_tokens is 'Of a part, whose media are the parent''s.';

    create table central_sends (
      campaign_id text primary key references campaigns,
      account_id text not null references accounts,
      preset_id text references presets,
      preset_name text,
      timing text not null default 'one_instant' check (timing in ('one_instant', 'local_time')),
      fixed_at timestamptz
    );
    comment on table central_sends is 'What a central campaign has beside what every campaign has.';
    comment on column central_sends.fixed_at is 'When the preset''s pairs were fixed as parts, at the launch.';
    select protect_tenant_table('central_sends');

    create table central_parts (
      central_id text not null references campaigns,
      number integer not null,
      slice integer not null generated always as (number / 200) stored,
      account_id text not null references accounts,
      sub_account_id text not null references accounts,
      sub_account_name text,
      time_zone text,
      campaign_id text unique,
      state text not null default 'waiting' check (state in
        ('waiting', 'handed_over', 'paused', 'suspended', 'rejected', 'stopped', 'aborted', 'done')),
      reason text,
      needs_run boolean not null default false,
      is_news boolean not null default false,
      news_at timestamptz,
      handed_at timestamptz,
      ended_at timestamptz,
      primary key (central_id, number),
      unique (central_id, sub_account_id)
    );
    comment on table central_parts is 'The parent''s rows: what it may know of each sub-account''s part.';
    comment on column central_parts.sub_account_name is 'At the launch; null if it was nobody of the parent''s any more.';
    comment on column central_parts.number is 'From 0. Two hundred make a slice.';
    comment on column central_parts.campaign_id is 'The sub-account''s own campaign; null until it is handed over.';
    comment on column central_parts.reason is 'A code; what people of the sub-account write stays with them.';
    comment on column central_parts.needs_run is 'Its workflow is to be started, by the slice.';
    comment on column central_parts.is_news is 'The slice has not seen its state yet.';
    create index central_parts_news on central_parts (central_id, slice) where is_news or needs_run;
    create index central_parts_open on central_parts (sub_account_id)
      where state not in ('done', 'aborted', 'rejected', 'stopped');
    select protect_tenant_table('central_parts');

    create table central_part_lists (
      account_id text not null references accounts,
      central_id text not null references campaigns,
      number integer not null,
      list_id text not null,
      primary key (central_id, number, list_id)
    );
    comment on table central_part_lists is 'The lists of each part, as the preset had them at the launch.';
    select protect_tenant_table('central_part_lists');

    create table action_slices (
      action_id text not null references actions,
      slice integer not null,
      account_id text not null references accounts,
      done_at timestamptz,
      primary key (action_id, slice)
    );
    comment on table action_slices is 'How far a parent''s action has been carried out in the parts of its campaign.';
    select protect_tenant_table('action_slices');

    -- Central campaigns have a workflow of another kind. A part of a live one is started by its slice.
    create or replace function campaigns_to_run(after_id text, how_many integer)
    returns table (id text, account_id text, has_waiting_action boolean)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select x.id, x.account_id, bool_or(x.waits) from (
        (select c.id, c.account_id, false as waits from campaigns c
         where c.id > after_id and not (c.kind = 'central' and c.central_id is null)
           and c.status in ('processing', 'ready', 'scheduled', 'started', 'sending', 'paused', 'suspended')
         order by c.id limit how_many)
        union all
        (select c.id, c.account_id, true from campaigns c
         where c.id > after_id and not (c.kind = 'central' and c.central_id is null)
           and c.id in (select a.campaign_id from actions a where a.state = 'requested')
         order by c.id limit how_many)
      ) x group by 1, 2 order by 1 limit how_many
    $fn$;

    create function centrals_to_run(after_id text, how_many integer)
    returns table (id text, account_id text, has_waiting_action boolean)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select c.id, c.account_id, x.waits
      from campaigns c cross join lateral (
        select exists (select from actions a where a.campaign_id = c.id and a.state = 'requested') as waits) x
      where c.id > after_id and c.kind = 'central' and c.central_id is null
        and (x.waits
          or c.status in ('processing', 'ready', 'scheduled', 'started', 'sending', 'paused', 'suspended'))
      order by c.id limit how_many
    $fn$;
    create function slices_to_look(how_many integer)
    returns table (account_id text, central_id text, slice integer)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select p.account_id, p.central_id, p.slice
      from (select distinct n.central_id, n.slice from central_parts n where n.is_news or n.needs_run) x
      join central_parts p on p.central_id = x.central_id and p.slice = x.slice
      group by 1, 2, 3
      having bool_and(p.state in ('done', 'aborted', 'rejected', 'stopped')) or bool_or(p.needs_run)
        or count(*) filter (where p.is_news) * 10 >= count(*)
        or min(p.news_at) filter (where p.is_news) < clock_timestamp() - interval '1 hour'
      order by 2, 3 limit how_many
    $fn$;

    create index campaigns_centrals on campaigns (id) where kind = 'central' and central_id is null;

    create or replace function campaigns_waiting_on(wanted_scope text, wanted_scope_id text, after_id text, how_many integer)
    returns table (id text, account_id text)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select c.id, c.account_id from campaigns c
      where c.status in ('started', 'sending') and c.id > after_id
        and not (c.kind = 'central' and c.central_id is null)
        and (wanted_scope = 'installation'
          or (wanted_scope = 'account' and (c.account_id = wanted_scope_id
            or (c.parent_id = wanted_scope_id and c.detached_at is null)))
          or (wanted_scope = 'sender' and c.sender_id = wanted_scope_id))
      order by c.id limit how_many
    $fn$;

    -- What keeps a part from above, without the parent's own words.
    create function central_holds(part text)
    returns table (id text, kind text, reason text, placed_at timestamptz)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select h.id, h.kind, case
          when h.scope_id = c.parent_id then 'The parent account is held.'
          when h.kind = 'pause' then 'The parent has paused the campaign.'
          when h.kind = 'stop' then 'The parent has stopped the campaign.'
          when h.kind = 'abort' then 'The parent has aborted the campaign.'
          when h.kind = 'suspend' then 'The parent has suspended the campaign.'
          else 'The parent holds the campaign.' end, h.placed_at
      from campaigns c join holds h on h.scope_id in (c.central_id, c.parent_id) and h.lifted_at is null
      where c.id = part and c.account_id = current_setting('app.account', true) and c.detached_at is null
      order by h.placed_at
    $fn$;

    -- Fixes the pairs of a central campaign's preset, at its launch. An account that has left or is disabled has a part, too,
    -- that is over before it begins, so that the parent reads of it.
    create function fix_parts(central text) returns void
    language plpgsql security definer set search_path = public, pg_temp as $fn$
    begin
      insert into central_parts (central_id, number, account_id, sub_account_id, sub_account_name, time_zone,
                                 state, reason, ended_at)
      select s.campaign_id, row_number() over (order by a.id) - 1, s.account_id, a.id,
        case when x.has_left then null else a.name end, case when x.has_left then null else a.time_zone end,
        case when x.has_left or a.disabled_at is not null then 'aborted' else 'waiting' end,
        case when x.has_left then 'account_left' when a.disabled_at is not null then 'account_disabled' end,
        case when x.has_left or a.disabled_at is not null then clock_timestamp() end
      from central_sends s
      join (select distinct p.preset_id, p.sub_account_id from preset_pairs p) p on p.preset_id = s.preset_id
      join accounts a on a.id = p.sub_account_id
      cross join lateral (select a.parent_id is distinct from s.account_id as has_left) x
      where s.campaign_id = central and s.account_id = current_setting('app.account', true) and s.fixed_at is null;

      insert into central_part_lists (account_id, central_id, number, list_id)
      select s.account_id, s.campaign_id, c.number, p.list_id
      from central_sends s join central_parts c on c.central_id = s.campaign_id
      join preset_pairs p on p.preset_id = s.preset_id and p.sub_account_id = c.sub_account_id
      where s.campaign_id = central and s.account_id = current_setting('app.account', true) and s.fixed_at is null;

      update central_sends set fixed_at = clock_timestamp()
      where campaign_id = central and account_id = current_setting('app.account', true) and fixed_at is null;
    end $fn$;

    -- Makes the campaigns of a slice's parts that have none, as they would be if their accounts had launched them. Locks go
    -- from the central campaign over the accounts to the parts: whoever stops it, leaves or is disabled comes before or
    -- after, and neither finds half of it.
    create function make_parts(central text, wanted_slice integer, campaign_ids text[], message_ids text[])
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
          (select array_agg(x.token order by array_position(m.media_ids, x.id)) from media x
            where x.id = any(m.media_ids)) as tokens
        from messages m where m.campaign_id = central and m.status in ('scheduled', 'sending');

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
                            schedule_zone, in_account_zone, due_at, expires_at, expires_after_ms, use_prefix, use_suffix,
                            status)
        select message_ids[n.place * m.messages + m.place + 1], n.sub_account_id, n.campaign_id, m.position, m.type,
          m.text, m.media_ids, m.tokens, m.schedule_local, m.schedule_zone,
          timing_wanted = 'local_time', m.due_at, m.expires_at, m.expires_after_ms,
          m.use_prefix, m.use_suffix, 'scheduled'
        from made n, made_messages m;
      insert into log (account_id, campaign_id, subject_kind, subject_id, what, to_value, who, via, detail)
        select n.sub_account_id, n.campaign_id, 'campaign', n.campaign_id, 'hand_over', '"processing"'::jsonb, 'system', 'parent',
          jsonb_build_object('parent', whole.account_id)
        from made n;
      update central_parts p set campaign_id = n.campaign_id
        from made n where p.central_id = central and p.number = n.number;
      drop table made, made_messages;
    end $fn$;

    -- Parts of the account that have no campaign yet are over before they begin: it has left, or is disabled.
    create function end_waiting_parts(why text) returns void
    language sql security definer set search_path = public, pg_temp as $fn$
      update central_parts p
      set state = 'aborted', reason = why, ended_at = clock_timestamp(), is_news = true, news_at = clock_timestamp()
      where p.sub_account_id = current_setting('app.account', true) and p.campaign_id is null and p.state = 'waiting'
        and why in ('account_left', 'account_disabled')
    $fn$;

    -- A part tells its parent how it stands, in the transaction that changes it. Only its own row there is touched.
    create function note_part() returns trigger
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
        order by array_position(array['abort', 'stop', 'suspend', 'hold', 'pause'], h.kind), h.placed_at
        limit 1;
      end if;
      update central_parts p
      set state = shown, reason = why, is_news = true, news_at = clock_timestamp(),
        ended_at = case when shown in ('done', 'aborted', 'rejected', 'stopped') then clock_timestamp() end
      where p.campaign_id = new.id and p.state <> 'done'
        and (p.state, p.reason) is distinct from (shown, why);
      return null;
    end $fn$;
    create trigger note_part after update of status, deleted_at on campaigns
      for each row when (new.central_id is not null and old.detached_at is null) execute function note_part();`.execute(
    db,
  );

  for (const signature of FUNCTIONS) {
    await sql`alter function ${sql.raw(signature)} owner to carillon_system`.execute(db);
    await sql`revoke all on function ${sql.raw(signature)} from public`.execute(db);
    await sql`grant execute on function ${sql.raw(signature)} to carillon_app`.execute(db);
  }
}

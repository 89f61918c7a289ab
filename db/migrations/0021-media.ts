import { type Kysely, sql } from 'kysely';

const FUNCTIONS = ['find_media(text)', 'sweep_media(interval, integer)'];

/** Media in pieces, so that they are stored and served without being held whole, and removed once nobody uses them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table media_pieces (
      account_id text not null,
      media_id text not null references media on delete cascade,
      piece integer not null,
      content bytea not null,
      primary key (media_id, piece)
    );
    alter table media_pieces alter column content set storage external;

    alter table media
      add column sha256 text,
      add column ready_at timestamptz,
      add column unused_since timestamptz;
    comment on column media.ready_at is 'Null while it is being uploaded: nobody sees it.';
    comment on column media.unused_since is 'Since when no campaign uses it; null while one does.';
    -- Without this, a role that is not a superuser would carry over nothing, and drop it.
    alter table media no force row level security;
    insert into media_pieces (account_id, media_id, piece, content)
      select m.account_id, m.id, p, substring(m.content from p * 262144 + 1 for 262144)
      from media m, generate_series(0, (length(m.content) - 1) / 262144) p;
    update media set ready_at = created_at, sha256 = encode(sha256(content), 'hex');
    alter table media drop column content;
    alter table media force row level security;
    select protect_tenant_table('media_pieces');

    create index on media (account_id, id);
    create index on media (unused_since) where unused_since is not null;
    create index messages_media on messages using gin (media_ids) where media_ids <> '{}';

    drop function find_media(text);
    create function find_media(wanted_token text)
    returns table (id text, account_id text, content_type text, bytes integer, sha256 text)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select m.id, m.account_id, m.content_type, m.bytes, m.sha256 from media m
      where m.token = wanted_token and m.ready_at is not null
    $fn$;

    -- What no campaign uses is marked, and removed once the mark is older than the grace. Whoever attaches it meanwhile
    -- holds its row, which is passed over, or waits for this and finds it gone.
    create function sweep_media(grace interval, how_many integer)
    returns table (id text, account_id text, bytes integer)
    language plpgsql security definer set search_path = public, pg_temp as $fn$
    declare
      candidate record;
    begin
      -- Rows that somebody holds are passed over until the next time, so that this waits for nobody.
      update media m set unused_since = case when m.unused_since is null then clock_timestamp() end where m.id in (
        select y.id from media y where y.ready_at is not null and (y.unused_since is null) <> exists (
          select from messages u join campaigns c on c.id = u.campaign_id
          where u.media_ids @> array[y.id] and u.media_ids <> '{}' and c.deleted_at is null)
        for update skip locked);
      delete from media m where m.ready_at is null and m.created_at < clock_timestamp() - interval '1 hour';
      for candidate in
        select m.id, m.account_id, m.bytes from media m
        where m.ready_at is not null and m.unused_since < clock_timestamp() - grace
        order by m.unused_since limit how_many for update skip locked
      loop
        -- A statement of its own, so that it sees what was committed before the row was locked.
        delete from media m where m.id = candidate.id and not exists (
          select from messages u join campaigns c on c.id = u.campaign_id
          where u.media_ids @> array[m.id] and u.media_ids <> '{}' and c.deleted_at is null);
        if found then
          id := candidate.id;
          account_id := candidate.account_id;
          bytes := candidate.bytes;
          return next;
        end if;
      end loop;
    end $fn$;`.execute(db);

  for (const signature of FUNCTIONS) {
    await sql`alter function ${sql.raw(signature)} owner to carillon_system`.execute(db);
    await sql`revoke all on function ${sql.raw(signature)} from public`.execute(db);
    await sql`grant execute on function ${sql.raw(signature)} to carillon_app`.execute(db);
  }
}

import { type Kysely, sql } from 'kysely';

const FUNCTIONS = [
  'note_central_news(text[])',
  'centrals_to_tell(integer)',
  'note_centrals_told(text[], timestamptz)',
];

/**
 * A central campaign shows how many of its parts are in which state. It counts them when it is told, which is some five
 * events of its history, so it is told at most once a minute.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table central_sends
      add column news_at timestamptz,
      add column told_at timestamptz not null default '-infinity';
    comment on column central_sends.news_at is 'Machine time. When slices of it were last told that states of parts have changed.';
    comment on column central_sends.told_at is 'Machine time. Its own run has been told of whatever was news before.';
    create index central_sends_news on central_sends (campaign_id) where news_at > told_at;

    create function note_central_news(ids text[]) returns void
    language sql security definer set search_path = public, pg_temp as $fn$
      update central_sends s set news_at = clock_timestamp() where s.campaign_id = any(ids)
    $fn$;

    create function centrals_to_tell(how_many integer)
    returns table (campaign_id text, seen text)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      -- As text, since a Date would cut its microseconds off.
      select s.campaign_id, now()::text
      from central_sends s
      where s.news_at > s.told_at and s.told_at < now() - interval '1 minute'
      order by s.news_at, s.campaign_id limit how_many
    $fn$;

    -- News that have come since they were looked for stay news.
    create function note_centrals_told(ids text[], seen timestamptz) returns void
    language sql security definer set search_path = public, pg_temp as $fn$
      update central_sends s set told_at = seen where s.campaign_id = any(ids)
    $fn$;`.execute(db);

  for (const signature of FUNCTIONS) {
    await sql`alter function ${sql.raw(signature)} owner to carillon_system`.execute(db);
    await sql`revoke all on function ${sql.raw(signature)} from public`.execute(db);
    await sql`grant execute on function ${sql.raw(signature)} to carillon_app`.execute(db);
  }
}

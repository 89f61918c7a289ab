import { type Kysely, sql } from 'kysely';

/** Keys that can be edited and rotated, and when each was used last. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table api_keys
      add column replaced_by text references api_keys,
      add column version integer not null default 1;
    comment on column api_keys.replaced_by is 'The key that a rotation made; this one ends with its overlap.';

    -- Beside the keys, so that a use changes nothing that somebody edits or that authentication reads.
    create table api_key_uses (
      key_id text primary key references api_keys,
      account_id text not null,
      last_used_at timestamptz not null
    );
    select protect_tenant_table('api_key_uses');

    drop function find_api_key(text);
    create function find_api_key(wanted_prefix text)
    returns table (id text, account_id text, hash bytea, scopes text[], expires_at timestamptz,
                   revoked_at timestamptz, use_is_old boolean)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select k.id, k.account_id, k.hash, k.scopes, k.expires_at, k.revoked_at,
        coalesce(u.last_used_at < clock_timestamp() - interval '1 minute', true)
      from api_keys k left join api_key_uses u on u.key_id = k.id where k.prefix = wanted_prefix
    $fn$;

    -- Of many uses at once one writes; the others find the row locked or fresh and go on.
    create function touch_api_key(wanted_id text) returns void
    language plpgsql security definer set search_path = public, pg_temp as $fn$
    begin
      if not pg_try_advisory_xact_lock(hashtextextended(wanted_id, 16)) then
        return;
      end if;
      insert into api_key_uses as u (key_id, account_id, last_used_at)
        select k.id, k.account_id, clock_timestamp() from api_keys k where k.id = wanted_id
        on conflict (key_id) do update set last_used_at = excluded.last_used_at
          where u.last_used_at < excluded.last_used_at - interval '1 minute';
    end $fn$;`.execute(db);

  for (const signature of ['find_api_key(text)', 'touch_api_key(text)']) {
    await sql`alter function ${sql.raw(signature)} owner to carillon_system`.execute(db);
    await sql`revoke all on function ${sql.raw(signature)} from public`.execute(db);
    await sql`grant execute on function ${sql.raw(signature)} to carillon_app`.execute(db);
  }
}

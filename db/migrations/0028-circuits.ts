import { type Kysely, sql } from 'kysely';

/** What workers together know of how a carrier answers, by carrier account and by sender. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table circuits (
      scope_id text primary key,
      failures integer not null default 0,
      trips integer not null default 0,
      opened_at timestamptz,
      probe_after timestamptz not null default '-infinity',
      probing_until timestamptz,
      taken_at timestamptz not null default '-infinity'
    );
    comment on table circuits is
      'A row for each carrier account and sender that was heard of. Holds nothing of a tenant; all instants are machine time.';
    comment on column circuits.failures is 'Requests that failed one after the other, over all workers.';
    comment on column circuits.taken_at is 'About when the carrier took the last text.';
    grant select, insert, update on circuits to carillon_app, carillon_system;

    -- A text that was taken later than what an alert has seen says that it is over, once it has been quiet for long
    -- enough; also when the worker that saw it is gone.
    create function resolve_carrier_alerts(quiet_ms integer) returns void
    language sql security definer set search_path = public, pg_temp as $fn$
      update alerts a set resolved_at = clock_timestamp(), version = a.version + 1
      from circuits c
      where c.scope_id = a.subject_id and a.kind = 'carrier_trouble' and a.account_id <> 'operator'
        and a.resolved_at is null and c.taken_at > a.last_seen_at and c.opened_at is null
        and a.last_seen_at <= clock_timestamp() - quiet_ms * interval '1 millisecond'
    $fn$;
    alter function resolve_carrier_alerts(integer) owner to carillon_system;
    revoke all on function resolve_carrier_alerts(integer) from public;
    grant execute on function resolve_carrier_alerts(integer) to carillon_app;`.execute(db);
}

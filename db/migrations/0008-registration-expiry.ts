import { type Kysely, sql } from 'kysely';

const FUNCTIONS = ['senders_to_warn(date, date, integer)', 'carrier_troubles()'];

/** The last day of a sender's registration, and what repair looks up across accounts for alerts. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table senders add column registration_expires_on date;
    comment on column senders.registration_expires_on is 'The last day in UTC on which it counts; null is not known.';
    create index on senders (registration_expires_on)
      where registration = 'approved' and registration_expires_on is not null;

    -- Approved senders whose last day is over, and those near it of which nobody has been told yet.
    create function senders_to_warn(today date, horizon date, how_many integer)
    returns table (id text, account_id text)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select s.id, s.account_id from senders s
      where s.registration = 'approved' and s.registration_expires_on <= horizon
        and (s.registration_expires_on < today or (s.disabled_at is null and not exists (
          select from alerts a where a.account_id = s.account_id and a.kind = 'registration_lapsing'
            and a.subject_id = s.id and a.resolved_at is null
        )))
      order by s.registration_expires_on, s.id limit how_many
    $fn$;

    -- What is the matter with carrier accounts, which belong to the installation, as the accounts see it.
    create function carrier_troubles()
    returns table (carrier_account_id text, cause text, severity text, reason text, remedy text)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select distinct on (a.subject_id, a.cause) a.subject_id, a.cause, a.severity, a.reason, a.remedy
      from alerts a
      where a.kind = 'carrier_trouble' and a.resolved_at is null and a.account_id <> 'operator'
      order by a.subject_id, a.cause, a.last_seen_at desc
    $fn$;
    create index on alerts (subject_id, cause) where kind = 'carrier_trouble' and resolved_at is null;`.execute(
    db,
  );

  for (const signature of FUNCTIONS) {
    await sql`alter function ${sql.raw(signature)} owner to carillon_system`.execute(db);
    await sql`revoke all on function ${sql.raw(signature)} from public`.execute(db);
    await sql`grant execute on function ${sql.raw(signature)} to carillon_app`.execute(db);
  }
}

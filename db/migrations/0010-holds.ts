import { type Kysely, sql } from 'kysely';

const FUNCTIONS = [
  'installation_holds()',
  'installation_in_flight()',
  'campaigns_waiting_on(text, text, text, integer)',
  'holds_to_wake(integer)',
];

/** Holds that people place by themselves, on any scope, and what has to look across accounts for them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table holds
      add column campaign_id text,
      add column by_operator boolean not null default false,
      add column lift_action_id text,
      add column lifted_by text,
      add column woken_at timestamptz,
      add column version integer not null default 1;
    update holds set campaign_id = scope_id where scope = 'campaign';
    comment on column holds.campaign_id is 'Whose gate, or whose message''s, it closes; null for wider scopes.';
    comment on column holds.by_operator is 'Only an operator may lift it.';
    comment on column holds.lift_action_id is 'The action that asks the campaign''s workflow to lift it.';
    comment on column holds.woken_at is 'When every campaign that waited for a lifted wide hold had been woken.';
    create index on holds (account_id, id);
    create index holds_to_wake on holds (lifted_at)
      where lifted_at is not null and woken_at is null and scope in ('installation', 'account', 'sender');

    -- Everybody is told why nothing is sent.
    create function installation_holds()
    returns table (id text, kind text, reason text, placed_at timestamptz)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select h.id, h.kind, h.reason, h.placed_at from holds h
      where h.scope = 'installation' and h.account_id = 'operator' and h.lifted_at is null order by h.id
    $fn$;

    create function installation_in_flight() returns integer
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select coalesce(sum(l.width - (
        select count(*) from (
          select c.recipient_first + o.ordinal as recipient, 1 as attempt
          from cohorts c, generate_series(l.ordinal_first, l.ordinal_last) o(ordinal)
          where w.wave = 0 and c.campaign_key = l.campaign_key and c.cohort = w.cohort
          union all
          select m.recipient, m.attempt from wave_members m
          where w.wave > 0 and m.month = l.month and m.wave_id = w.id
            and m.ordinal between l.ordinal_first and l.ordinal_last
        ) p join attempts a
          on a.month = l.month and a.message_key = l.message_key and a.recipient = p.recipient and a.attempt = p.attempt
        where a.lease_id = l.id)), 0)::integer
      from leases l join waves w on w.id = l.wave_id
      where l.closed_at is null
    $fn$;

    -- A message of these campaigns may have ended its run because the scope's gate was closed.
    create function campaigns_waiting_on(wanted_scope text, wanted_scope_id text, after_id text, how_many integer)
    returns table (id text, account_id text)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select c.id, c.account_id from campaigns c
      where c.status in ('started', 'sending') and c.id > after_id
        and (wanted_scope = 'installation'
          or (wanted_scope = 'account' and c.account_id = wanted_scope_id)
          or (wanted_scope = 'sender' and c.sender_id = wanted_scope_id))
      order by c.id limit how_many
    $fn$;

    create function holds_to_wake(how_many integer)
    returns table (id text, account_id text, scope text, scope_id text)
    language sql stable security definer set search_path = public, pg_temp as $fn$
      select h.id, h.account_id, h.scope, h.scope_id from holds h
      where h.lifted_at is not null and h.woken_at is null and h.scope in ('installation', 'account', 'sender')
      order by h.lifted_at limit how_many
    $fn$;`.execute(db);

  for (const signature of FUNCTIONS) {
    await sql`alter function ${sql.raw(signature)} owner to carillon_system`.execute(db);
    await sql`revoke all on function ${sql.raw(signature)} from public`.execute(db);
    await sql`grant execute on function ${sql.raw(signature)} to carillon_app`.execute(db);
  }
}

import { type Kysely, sql } from 'kysely';

/** Rounds: extra passes that the owner of a finished campaign has ordered. Their waves name them by number. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table rounds (
      id text primary key,
      account_id text not null,
      campaign_id text not null references campaigns,
      number integer not null,
      kind text not null,
      action_id text not null,
      ordered_by text not null,
      ordered_at timestamptz not null,
      unique (campaign_id, number)
    );
    comment on column rounds.ordered_at is 'Campaign time.';
    select protect_tenant_table('rounds');`.execute(db);
}

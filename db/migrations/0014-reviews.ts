import { type Kysely, sql } from 'kysely';

/** Reviews: what a launch would do, as somebody saw it; and what an account asks of its launches. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table accounts
      add column review_required boolean not null default false,
      add column review_tolerance_percent integer not null default 5
        check (review_tolerance_percent between 0 and 100);

    create table reviews (
      id text primary key,
      account_id text not null references accounts,
      campaign_id text not null references campaigns,
      facts jsonb not null,
      created_by text not null,
      created_at timestamptz not null default clock_timestamp(),
      expires_at timestamptz not null,
      used_at timestamptz
    );
    create index on reviews (campaign_id);
    comment on column reviews.facts is 'What the launch is compared with: hashes, the number of recipients and the cost.';
    comment on column reviews.expires_at is 'Campaign time, as used_at.';
    select protect_tenant_table('reviews');`.execute(db);
}

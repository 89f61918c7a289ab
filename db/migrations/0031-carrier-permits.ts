import { type Kysely, sql } from 'kysely';

/** How many requests each worker may have under way at a carrier account; together no more than the carrier takes. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table carrier_permits (
      carrier_account_id text not null references carrier_accounts on delete cascade,
      worker_id text not null,
      permits integer not null,
      expires_at timestamptz not null,
      primary key (carrier_account_id, worker_id)
    );
    comment on table carrier_permits is
      'Machine time. A worker that died keeps its row until its last requests are over at the carrier, too.';
    grant select, insert, update, delete on carrier_permits to carillon_app, carillon_system;`.execute(db);
}

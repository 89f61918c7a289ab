import { type Kysely, sql } from 'kysely';

/** The account's prefix and suffix, and whether a message uses them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table accounts
      add column prefix text not null default '',
      add column suffix text not null default '';
    comment on column accounts.prefix is
      'A template of account fields that texts begin with where they lack it; empty is none. The suffix likewise.';
    alter table messages
      add column use_prefix boolean not null default true,
      add column use_suffix boolean not null default true;`.execute(db);
}

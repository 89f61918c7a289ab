import { type RawBuilder, sql } from 'kysely';

/**
 * The gates that a part has beside its own, as an expression on a row of `campaigns`: its central campaign's and its
 * parent's. Empty for any other campaign, and for a part that is over or whose account has left.
 */
export function centralScopesOf(campaigns: string): RawBuilder<string[]> {
  const column = (name: string) => sql.ref(`${campaigns}.${name}`);
  return sql<string[]>`case when ${column('central_id')} is null or ${column('detached_at')} is not null
    then '{}'::text[] else array[${column('central_id')}, ${column('parent_id')}] end`;
}

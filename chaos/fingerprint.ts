import { withOwner } from '../dev/with-owner.ts';
import type { Invariant } from './invariant.ts';

/** A digest of an account's rows, by table. */
export type Fingerprint = ReadonlyMap<string, string>;

/** Rows of an account that nobody touched, before and after. */
export interface Bystander {
  readonly before: Fingerprint;
  readonly after: Fingerprint;
}

/** Rows that Carillon itself moves a little later than they are written: events get numbers, keys their last use. */
const MOVING_TABLES = ['api_key_uses', 'event_inbox', 'events', 'event_counters'];

/** I8. */
export function untouched({ before, after }: Bystander): Invariant {
  const changed = [...before]
    .filter(([table, digest]) => after.get(table) !== digest)
    .map(([table]) => table);
  return {
    name: 'I8 no row of another account was seen or touched',
    holds: changed.length === 0 && before.size > 0,
    figures: `${before.size} tables of another account, changed: ${changed.join(', ') || 'none'}`,
  };
}

/** What stands for all rows of an account, in every table that has an account. */
export function fingerprintOf(databaseUrl: string, accountId: string): Promise<Fingerprint> {
  return withOwner(databaseUrl, async (db) => {
    const tables = await db.query<{ name: string }>(
      `select c.table_name as name from information_schema.columns c
       join information_schema.tables t using (table_schema, table_name)
       where c.table_schema = 'public' and c.column_name = 'account_id' and t.table_type = 'BASE TABLE'
         and c.table_name <> all($1) order by 1`,
      [MOVING_TABLES],
    );
    const digests = new Map<string, string>();
    for (const { name } of tables.rows) {
      const { rows } = await db.query<{ digest: string }>(
        `select count(*) || ':' || md5(coalesce(string_agg(t::text, E'\\n' order by t::text), '')) as digest
         from "${name}" t where account_id = $1`,
        [accountId],
      );
      digests.set(name, rows[0]?.digest ?? '');
    }
    return digests;
  });
}

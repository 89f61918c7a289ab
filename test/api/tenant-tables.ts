import type { Client } from 'pg';

/** The ledger's month of rows that are written here. */
export const MONTH = '2027-01-01';

interface Column {
  readonly name: string;
  readonly type: string;
}
/** A tenant's table: which column says whose a row is, and the columns that a row needs. */
export interface TenantTable {
  readonly name: string;
  readonly owner: string;
  readonly needed: readonly Column[];
}

/** Every table that has rows of an account; partitions stand for nothing of their own. */
export async function readTenantTables(owner: Client): Promise<TenantTable[]> {
  const { rows } = await owner.query<{ name: string; columns: (Column & { needed: boolean })[] }>(
    `select c.relname as name, json_agg(json_build_object(
         'name', a.attname, 'type', format_type(a.atttypid, null),
         'needed', a.attnotnull and not a.atthasdef and a.attidentity = '') order by a.attnum) as columns
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
     group by 1 order by 1`,
  );
  return rows.flatMap(({ name, columns }) => {
    const column = name === 'accounts' ? 'id' : 'account_id';
    if (!columns.some((one) => one.name === column)) return [];
    return [{ name, owner: column, needed: columns.filter((one) => one.needed) }];
  });
}

/** A statement that writes one row of an account; foreign keys have to be switched off. */
export function insertOf(table: TenantTable, account: string): string {
  const names = table.needed.map((column) => `"${column.name}"`).join();
  const values = table.needed.map((column) =>
    column.name === table.owner ? `'${account}'` : valueOf(column, account),
  );
  return `insert into "${table.name}" (${names}) values (${values.join()})`;
}

/** Something of the type, another for each account, so that unique rules are kept. */
function valueOf({ type }: Column, account: string): string {
  const number = Buffer.from(account).reduce((sum, byte) => sum + byte, 0);
  if (type === 'date') return `'${MONTH}'`;
  if (type.startsWith('timestamp')) return 'now()';
  if (type === 'boolean') return 'false';
  if (type === 'bytea') return `'\\x${Buffer.from(account).toString('hex')}'`;
  if (type === 'jsonb' || type.endsWith('[]')) return `'{}'`;
  return type === 'text' ? `'${account}'` : String(number);
}

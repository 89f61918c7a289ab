import type { ContactRow } from '../../domain/import/contact-row.ts';
import { numberHash } from '../number-hash.ts';
import { type BatchCounts, copyField, copyText, NOTHING_WRITTEN, type RowWriter } from './row-writer.ts';

const COLUMNS = `number text, number_hash bytea, country text, first_name text, last_name text,
  time_zone text, custom jsonb`;

// The sub-select sees a row as it was before this statement: one of this import's own, or of an earlier time.
const WRITE_BATCH = `
  with written as (
    insert into contacts as c (account_id, number, number_hash, country, first_name, last_name, time_zone, custom)
    select $1, b.number, b.number_hash, b.country, b.first_name, b.last_name, b.time_zone, b.custom
    from import_batch b order by b.number
    on conflict (account_id, number) do update set
      first_name = coalesce(excluded.first_name, c.first_name),
      last_name = coalesce(excluded.last_name, c.last_name),
      time_zone = coalesce(excluded.time_zone, c.time_zone),
      custom = c.custom || excluded.custom,
      version = c.version + 1,
      updated_at = clock_timestamp()
    returning c.id, c.xmax = 0 as created, case when c.xmax = 0 then false else (
      select o.xmin = pg_current_xact_id()::xid from contacts o where o.id = c.id
    ) end as again
  ), members as (
    insert into list_members (account_id, list_id, contact_id)
    select $1, l.id, w.id from written w cross join unnest($2::text[]) as l(id) where w.created
  ), members_before as (
    insert into list_members (account_id, list_id, contact_id)
    select $1, l.id, w.id from written w cross join unnest($2::text[]) as l(id) where not w.created
    on conflict do nothing
  )
  select (count(*) filter (where again))::int as again, (count(*) filter (where created))::int as created
  from written`;

/** Writes contacts and puts them on lists, batch by batch. */
export function createContactWriter(options: {
  readonly accountId: string;
  readonly hashKey: Buffer;
  readonly listIds: readonly string[];
}): RowWriter<ContactRow> {
  return {
    columns: COLUMNS,
    encode: (rows) => encode(rows, options.hashKey),
    writeBatch: async (client) => {
      const written = await client.query<BatchCounts>(WRITE_BATCH, [options.accountId, options.listIds]);
      await client.query('truncate import_batch');
      return written.rows[0] ?? NOTHING_WRITTEN;
    },
    complete: () => Promise.resolve(NOTHING_WRITTEN),
  };
}

function encode(rows: Iterable<ContactRow>, hashKey: Buffer): string {
  let text = '';
  for (const row of rows) {
    const hash = numberHash(hashKey, row.number).toString('hex');
    text += `${row.number}\t\\\\x${hash}\t${row.country}\t${copyField(row.firstName)}\t${copyField(row.lastName)}\t${copyField(row.timeZone)}\t${copyText(JSON.stringify(row.custom))}\n`;
  }
  return text;
}

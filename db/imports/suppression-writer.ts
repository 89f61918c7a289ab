import type { SuppressionRow } from '../../domain/import/suppression-row.ts';
import { numberHash } from '../number-hash.ts';
import { SUPPRESSION_CHANNEL } from '../suppressions.ts';
import { type BatchCounts, copyField, NOTHING_WRITTEN, type RowWriter } from './row-writer.ts';

const COLUMNS = 'line bigint, number text, number_hash bytea, kind text, reason text';

// In one order, so that two writers never wait for each other, and at the end, so that an opt-out which arrives
// meanwhile waits for one statement and not for a whole file. Of several rows about one number the last counts.
const WRITE = `
  with rows as (
    select distinct on (number_hash, kind) number_hash, kind, number, reason
    from import_batch order by number_hash, kind, line desc
  ), added as (
    insert into suppressions (account_id, number_hash, number, kind, source, reason, added_by, import_id)
    select $1, r.number_hash, case when e.number_hash is null then r.number end, r.kind, 'import', r.reason, $2, $3
    from rows r left join suppressions e
      on e.account_id = $1 and e.number_hash = r.number_hash and e.kind = 'erased' and e.sender_id is null
    order by r.number_hash, r.kind
    on conflict do nothing
    returning number_hash, kind, reason
  ), history as (
    insert into suppression_history (account_id, number_hash, kind, what, source, reason, import_id, who, via)
    select $1, a.number_hash, a.kind, 'added', 'import', a.reason, $3, $2, 'api' from added a
  )
  select (select count(*) from added)::int as created,
    ((select count(*) from import_batch) - (select count(*) from rows))::int as again`;

/** Suppresses numbers, all of them at the end. What is suppressed already stays as it is; nothing is ever lifted. */
export function createSuppressionWriter(options: {
  readonly accountId: string;
  readonly importId: string;
  readonly hashKey: Buffer;
  /** Who ordered the import. */
  readonly who: string;
}): RowWriter<SuppressionRow> {
  const { accountId, importId, who } = options;
  return {
    columns: COLUMNS,
    encode: (rows) => encode(rows, options.hashKey),
    writeBatch: () => Promise.resolve(NOTHING_WRITTEN),
    complete: async (client) => {
      const written = await client.query<BatchCounts>(WRITE, [accountId, who, importId]);
      await client.query('select pg_notify($1, $2)', [SUPPRESSION_CHANNEL, `*${accountId}`]);
      return written.rows[0] ?? NOTHING_WRITTEN;
    },
  };
}

function encode(rows: Iterable<SuppressionRow>, hashKey: Buffer): string {
  let text = '';
  for (const { line, number, kind, reason } of rows) {
    const hash = numberHash(hashKey, number).toString('hex');
    text += `${line}\t${number}\t\\\\x${hash}\t${kind}\t${copyField(reason)}\n`;
  }
  return text;
}

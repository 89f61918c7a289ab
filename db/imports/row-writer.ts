import type pg from 'pg';

/** What became of one batch of rows. */
export interface BatchCounts {
  readonly created: number;
  /** Rows of the batch about something that this import had written before. */
  readonly again: number;
}

/**
 * How the rows of an import are written. Each batch is copied into the temporary table `import_batch`, which
 * `writeBatch` empties or leaves as it is, so that `complete` finds all of it.
 */
export interface RowWriter<Row> {
  /** The columns of the temporary table, in the order of {@link encode}. */
  readonly columns: string;
  /** Rows in the text format of COPY. */
  readonly encode: (rows: Iterable<Row>) => string;
  readonly writeBatch: (client: pg.PoolClient) => Promise<BatchCounts>;
  readonly complete: (client: pg.PoolClient) => Promise<BatchCounts>;
}

/** Nothing was written. */
export const NOTHING_WRITTEN: BatchCounts = { created: 0, again: 0 };

const SPECIAL = /[\\\n\r\t]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A value in the text format of COPY; null is written as PostgreSQL reads it. */
export function copyField(value: string | null): string {
  return value === null ? '\\N' : copyText(value);
}

/** A text in the text format of COPY. */
export function copyText(value: string): string {
  return SPECIAL.test(value)
    ? value.replaceAll(/[\\\n\r\t]/g, (character) => ESCAPES[character] ?? character)
    : value;
}

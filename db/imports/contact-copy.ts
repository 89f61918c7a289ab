import { numberHash } from '../number-hash.ts';
import type { ContactRow } from '../../domain/import/contact-row.ts';

/** The columns of the temporary table that contacts are copied into, in the order of {@link copyText}. */
export const COPY_COLUMNS = `number text, number_hash bytea, country text, first_name text, last_name text,
  time_zone text, custom jsonb`;

const SPECIAL = /[\\\n\r\t]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Contacts in the text format of COPY. */
export function copyText(rows: Iterable<ContactRow>, hashKey: Buffer): string {
  let text = '';
  for (const row of rows) {
    const hash = numberHash(hashKey, row.number).toString('hex');
    text += `${row.number}\t\\\\x${hash}\t${row.country}\t${field(row.firstName)}\t${field(row.lastName)}\t${field(row.timeZone)}\t${escaped(JSON.stringify(row.custom))}\n`;
  }
  return text;
}

function field(value: string | null): string {
  return value === null ? '\\N' : escaped(value);
}

function escaped(value: string): string {
  return SPECIAL.test(value)
    ? value.replaceAll(/[\\\n\r\t]/g, (character) => ESCAPES[character] ?? character)
    : value;
}

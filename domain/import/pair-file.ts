import { detectDelimiter, SAMPLE_BYTES } from '../csv-format.ts';
import { PRESET_PAIRS_MAX } from '../preset.ts';
import { isWellFormedText } from '../text-input.ts';
import { createCsvReader, type CsvReader, type CsvRow } from './csv-rows.ts';

/** Why a row of a file of pairs is refused, with how to mend it. The code is stable. */
export const PAIR_REFUSALS = {
  malformed_quotes:
    'A quoted field is not closed or goes on after its closing quote. Double a quote inside one.',
  row_too_long: 'The row is longer than a megabyte. Shorten it.',
  too_many_fields:
    'The row has more fields than the first row has names. Quote names that hold the delimiter.',
  control_characters: 'The row holds control characters. Remove them.',
  no_account: 'The row names no sub-account. Give its id or its name.',
  no_list: 'The row names no list. Give its id or its name.',
  unknown_account: 'This is none of your sub-accounts. Correct its id or name.',
  ambiguous_account: 'Several of your sub-accounts have this name. Give the id of the one that is meant.',
  unknown_list: 'The sub-account has no such list. Correct its id or name, or create the list there.',
} as const satisfies Record<string, string>;
export type PairRefusal = keyof typeof PAIR_REFUSALS;

/** A row of a file of pairs: a sub-account and a list of it, each by its id or its name. */
export interface PairRow {
  /** The physical line on which it begins, from 1. */
  readonly line: number;
  readonly account: string;
  readonly list: string;
}

/** A row that says no pair. */
export interface RefusedPair {
  readonly line: number;
  readonly reason: PairRefusal;
}

/** What a whole file says; `message` says how to mend one that cannot be read. */
export type PairFile =
  | { readonly kind: 'pairs'; readonly rows: readonly PairRow[]; readonly refused: readonly RefusedPair[] }
  | { readonly kind: 'fault'; readonly message: string };

/** Takes a file's text in pieces of any size; `end` says what it was. */
export interface PairFileReader {
  push(text: string): void;
  end(): PairFile;
}

/** The most rows of a file: no more pairs than that have room in a preset. */
export const PAIR_ROWS_MAX = PRESET_PAIRS_MAX;

interface Columns {
  readonly account: number;
  readonly list: number;
  readonly count: number;
}

/**
 * Reads a file of pairs whose first row names its columns: `account` and `list`, in any order and case, beside others
 * that are left out. The delimiter is found out from the file's beginning.
 */
export function createPairFileReader(): PairFileReader {
  const rows: PairRow[] = [];
  const refused: RefusedPair[] = [];
  let sample = '';
  let reader: CsvReader | null = null;
  let columns: Columns | null = null;
  let fault: string | null = null;

  const take = (given: readonly CsvRow[]): void => {
    for (const row of given) {
      if (fault !== null) return;
      if (isBlank(row)) continue;
      if (columns === null) {
        columns = columnsOf(row);
        if (columns === null) fault = NO_COLUMNS;
        continue;
      }
      const pair = pairOf(row, columns);
      if ('reason' in pair) refused.push(pair);
      else rows.push(pair);
      if (rows.length + refused.length > PAIR_ROWS_MAX) fault = TOO_MANY_ROWS;
    }
  };
  const open = (): CsvReader => {
    const opened = createCsvReader(detectDelimiter(sample));
    take(opened.push(sample));
    sample = '';
    return opened;
  };

  return {
    push: (text) => {
      if (reader !== null) {
        take(reader.push(text));
        return;
      }
      sample += text;
      if (sample.length >= SAMPLE_BYTES) reader = open();
    },
    end: () => {
      reader ??= open();
      take(reader.end());
      if (columns === null) fault ??= NO_COLUMNS;
      return fault === null ? { kind: 'pairs', rows, refused } : { kind: 'fault', message: fault };
    },
  };
}

const NO_COLUMNS =
  'The first row has to name the columns account and list, once each. Put their names there and send the file again.';
const TOO_MANY_ROWS = `The file has more than ${PAIR_ROWS_MAX} rows, which is more than a preset takes. Divide it among several presets.`;

function isBlank(row: CsvRow): boolean {
  return row.kind === 'fields' && row.fields.every((field) => field.trim() === '');
}

function columnsOf(row: CsvRow): Columns | null {
  if (row.kind === 'broken') return null;
  const names = row.fields.map((name) => name.trim().toLowerCase());
  const [account, list] = [names.indexOf('account'), names.indexOf('list')];
  const isOnce = account === names.lastIndexOf('account') && list === names.lastIndexOf('list');
  return account === -1 || list === -1 || !isOnce ? null : { account, list, count: names.length };
}

function pairOf(row: CsvRow, columns: Columns): PairRow | RefusedPair {
  const { line } = row;
  if (row.kind === 'broken') return { line, reason: row.reason };
  if (row.fields.slice(columns.count).some((field) => field.trim() !== '')) {
    return { line, reason: 'too_many_fields' };
  }
  const account = (row.fields[columns.account] ?? '').trim();
  const list = (row.fields[columns.list] ?? '').trim();
  if (account === '') return { line, reason: 'no_account' };
  if (list === '') return { line, reason: 'no_list' };
  if (!isWellFormedText(account) || !isWellFormedText(list)) return { line, reason: 'control_characters' };
  return { line, account, list };
}

import { type Delimiter, ROW_BYTES_MAX } from '../csv-format.ts';

/**
 * A row as it stands in a file. `line` is the physical line on which it begins, from 1; quoted line breaks
 * count. A row whose quotes make no sense, or that is too long, has the beginning of its text instead of fields.
 */
export type CsvRow =
  | { readonly kind: 'fields'; readonly line: number; readonly fields: readonly string[] }
  | {
      readonly kind: 'broken';
      readonly line: number;
      readonly reason: 'malformed_quotes' | 'row_too_long';
      readonly text: string;
    };

/** Takes a file's text in pieces of any size and returns the rows that each piece completes. */
export interface CsvReader {
  push(text: string): CsvRow[];
  end(): CsvRow[];
}

const QUOTE = 0x22;
const SPACE = 0x20;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BROKEN_TEXT_LENGTH_MAX = 1_000;

/**
 * Reads delimited text as spreadsheets write it (RFC 4180, any line break, a quote inside an unquoted field means
 * itself). Where quotes make no sense, or a row exceeds {@link ROW_BYTES_MAX} characters, only the line on which
 * the row began is given up and reading goes on with the next: one forgotten quote must not swallow the rows
 * after it. General parsers end at such a place or drop an unknown number of rows, hence one of our own.
 */
export function createCsvReader(delimiter: Delimiter): CsvReader {
  const delimiterCode = delimiter.charCodeAt(0);
  let rest = '';
  let line = 1;
  let isSkippingLine = false;

  const read = (isEnd: boolean): CsvRow[] => {
    const rows: CsvRow[] = [];
    let from = isSkippingLine ? skip(isEnd) : 0;
    while (from < rest.length) {
      const row = readRow(rest, from, isEnd, delimiterCode);
      const isTooLong = rest.length - from > ROW_BYTES_MAX;
      if (row.kind === 'row') {
        rows.push({ kind: 'fields', line, fields: row.fields });
        line += row.lines;
        from = row.next;
        continue;
      }
      if (row.kind === 'incomplete' && !isEnd && !isTooLong) break;
      const next = nextLineStart(rest, from, isEnd);
      if (next === null && !isTooLong) break;
      const reason = next === null ? 'row_too_long' : 'malformed_quotes';
      const text = rest.slice(from, Math.min(next ?? rest.length, from + BROKEN_TEXT_LENGTH_MAX));
      rows.push({ kind: 'broken', line, reason, text: text.trimEnd() });
      isSkippingLine = next === null;
      if (!isSkippingLine) line += 1;
      from = next ?? rest.length;
    }
    rest = rest.slice(from);
    return rows;
  };

  /** Where the line after the one that is being given up begins, or the end of what there is. */
  const skip = (isEnd: boolean): number => {
    const next = nextLineStart(rest, 0, isEnd);
    if (next === null) return rest.endsWith('\r') ? rest.length - 1 : rest.length;
    isSkippingLine = false;
    line += 1;
    return next;
  };

  return {
    push: (text) => {
      rest += text;
      return read(false);
    },
    end: () => read(true),
  };
}

type RowRead =
  | { readonly kind: 'row'; readonly fields: string[]; readonly lines: number; readonly next: number }
  | { readonly kind: 'incomplete' | 'malformed' };

function readRow(text: string, from: number, isEnd: boolean, delimiter: number): RowRead {
  const fields: string[] = [];
  let lines = 1;
  let position = from;
  for (;;) {
    if (text.charCodeAt(position) === QUOTE) {
      const quoted = readQuoted(text, position);
      if (quoted === null) return { kind: 'incomplete' };
      if (quoted.next >= text.length && !isEnd) return { kind: 'incomplete' };
      fields.push(quoted.value);
      lines += countLineBreaks(quoted.value);
      position = quoted.next;
    } else {
      const end = endOfUnquoted(text, position, delimiter);
      fields.push(text.slice(position, end));
      position = end;
    }
    if (position >= text.length) {
      return isEnd ? { kind: 'row', fields, lines, next: position } : { kind: 'incomplete' };
    }
    const code = text.charCodeAt(position);
    if (code === delimiter) {
      position += 1;
      continue;
    }
    const breakLength = lineBreakAt(text, position, isEnd);
    if (breakLength === null) return { kind: 'incomplete' };
    if (breakLength === 0) return { kind: 'malformed' };
    return { kind: 'row', fields, lines, next: position + breakLength };
  }
}

/** The value of a quoted field and where it ends, blanks after its quote included; null if it is not closed. */
function readQuoted(text: string, open: number): { value: string; next: number } | null {
  let value = '';
  let start = open + 1;
  for (;;) {
    const close = text.indexOf('"', start);
    if (close === -1) return null;
    if (text.charCodeAt(close + 1) === QUOTE) {
      value += text.slice(start, close + 1);
      start = close + 2;
      continue;
    }
    value += text.slice(start, close);
    let next = close + 1;
    while (text.charCodeAt(next) === SPACE) next += 1;
    return { value, next };
  }
}

function endOfUnquoted(text: string, from: number, delimiter: number): number {
  for (let position = from; position < text.length; position += 1) {
    const code = text.charCodeAt(position);
    if (code === delimiter || code === LINE_FEED || code === CARRIAGE_RETURN) return position;
  }
  return text.length;
}

/** The length of the line break at this place, 0 if there is none, null if that cannot be known yet. */
function lineBreakAt(text: string, position: number, isEnd: boolean): number | null {
  const code = text.charCodeAt(position);
  if (code === LINE_FEED) return 1;
  if (code !== CARRIAGE_RETURN) return 0;
  if (position + 1 >= text.length) return isEnd ? 1 : null;
  return text.charCodeAt(position + 1) === LINE_FEED ? 2 : 1;
}

/** Where the next physical line begins; null if its end is not in sight. */
function nextLineStart(text: string, from: number, isEnd: boolean): number | null {
  for (let position = from; position < text.length; position += 1) {
    const code = text.charCodeAt(position);
    if (code !== LINE_FEED && code !== CARRIAGE_RETURN) continue;
    const length = lineBreakAt(text, position, isEnd);
    return length === null ? null : position + length;
  }
  return isEnd ? text.length : null;
}

function countLineBreaks(value: string): number {
  if (!value.includes('\n') && !value.includes('\r')) return 0;
  return value.split(/\r\n|\n|\r/).length - 1;
}

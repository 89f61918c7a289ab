import { stringify } from 'csv-stringify/sync';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Delimiter, ROW_BYTES_MAX } from '../../domain/csv-format.ts';
import { createCsvReader, type CsvRow } from '../../domain/import/csv-rows.ts';

/** Reads a text that arrives in pieces of this size. */
function read(text: string, pieceLength = 7, delimiter: Delimiter = ','): CsvRow[] {
  const reader = createCsvReader(delimiter);
  const rows: CsvRow[] = [];
  for (let from = 0; from < text.length; from += pieceLength) {
    rows.push(...reader.push(text.slice(from, from + pieceLength)));
  }
  return [...rows, ...reader.end()];
}

function short(rows: readonly CsvRow[]) {
  return rows.map((row) => [row.line, row.kind === 'fields' ? row.fields : `${row.reason}: ${row.text}`]);
}

describe('rows and their lines', () => {
  test.each([
    [
      'a,b\nc,d\n',
      [
        [1, ['a', 'b']],
        [2, ['c', 'd']],
      ],
    ],
    [
      'a\r\nb\rc\nd',
      [
        [1, ['a']],
        [2, ['b']],
        [3, ['c']],
        [4, ['d']],
      ],
    ],
    [
      'a\n\n\nb',
      [
        [1, ['a']],
        [2, ['']],
        [3, ['']],
        [4, ['b']],
      ],
    ],
    [
      '"a\r\nb\nc",d\ne',
      [
        [1, ['a\r\nb\nc', 'd']],
        [4, ['e']],
      ],
    ],
    ['"a ""b"" c",""\n', [[1, ['a "b" c', '']]]],
    ['5" pipe,x"y"\n', [[1, ['5" pipe', 'x"y"']]]],
    ['"a"  ,b\n', [[1, ['a', 'b']]]],
    [
      'a,\n,',
      [
        [1, ['a', '']],
        [2, ['', '']],
      ],
    ],
    ['"a"', [[1, ['a']]]],
    ['', []],
  ] as const)('of %j', (text, expected) => {
    for (const pieceLength of [1, 2, 3, 1_000]) expect(short(read(text, pieceLength))).toEqual(expected);
  });

  test.each([
    [
      '"a"b,c\nd\n',
      [
        [1, 'malformed_quotes: "a"b,c'],
        [2, ['d']],
      ],
    ],
    [
      'a\n"b,c\nd\n',
      [
        [1, ['a']],
        [2, 'malformed_quotes: "b,c'],
        [3, ['d']],
      ],
    ],
    [
      '"a\n"b\nc',
      [
        [1, 'malformed_quotes: "a'],
        [2, 'malformed_quotes: "b'],
        [3, ['c']],
      ],
    ],
    ['"', [[1, 'malformed_quotes: "']]],
  ] as const)('a broken quote in %j costs one line', (text, expected) => {
    for (const pieceLength of [1, 2, 3, 1_000]) expect(short(read(text, pieceLength))).toEqual(expected);
  });

  test('a quote that is never closed does not swallow a large file', () => {
    const after = Array.from({ length: 200_000 }, (_, index) => `row ${index},x`);
    const rows = read(['"open,x', ...after].join('\n'), 65_536);
    expect(rows).toHaveLength(after.length + 1);
    expect(rows[0]).toMatchObject({ kind: 'broken', line: 1, reason: 'malformed_quotes' });
    expect(rows.at(-1)).toEqual({ kind: 'fields', line: 200_001, fields: ['row 199999', 'x'] });
  });

  test('a line without an end is given up without being kept', () => {
    const rows = read(`a\n${'x'.repeat(3 * ROW_BYTES_MAX)}\r\nb`, 65_536);
    expect(rows).toHaveLength(3);
    expect(rows[1]).toMatchObject({ kind: 'broken', line: 2, reason: 'row_too_long' });
    expect(rows[2]).toEqual({ kind: 'fields', line: 3, fields: ['b'] });
  });

  test('are what any program wrote, however the text is cut', () => {
    const field = fc.string({
      unit: fc.constantFrom('a', 'é', '"', ',', ';', '\n', '\r\n', ' ', '😀'),
      maxLength: 6,
    });
    const table = fc
      .integer({ min: 1, max: 4 })
      .chain((width) => fc.array(fc.array(field, { minLength: width, maxLength: width }), { minLength: 1 }));
    const options = fc.record({
      delimiter: fc.constantFrom(',' as const, ';' as const),
      record_delimiter: fc.constantFrom('\n', '\r\n'),
      quoted: fc.boolean(),
    });
    fc.assert(
      fc.property(table, options, fc.integer({ min: 1, max: 9 }), (rows, writing, pieceLength) => {
        const text = stringify(rows, { ...writing, quoted_match: /[\r\n ]/ });
        const found = read(text, pieceLength, writing.delimiter);
        expect(found.map((row) => row.kind === 'fields' && row.fields)).toEqual(rows);
      }),
    );
  });
});

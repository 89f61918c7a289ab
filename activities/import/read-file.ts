import { setImmediate } from 'node:timers/promises';
import {
  type ColumnMapping,
  type ColumnTarget,
  detectDelimiter,
  SAMPLE_BYTES,
} from '../../domain/csv-format.ts';
import type { RefusedRow, RowVerdict } from '../../domain/import/contact-row.ts';
import { createCsvReader, type CsvReader, type CsvRow } from '../../domain/import/csv-rows.ts';
import type { FileFormat, ImportFault, ImportPlan } from '../../domain/import/import-plan.ts';
import { createContentDecoder } from './decode-content.ts';

/** Some of a file's rows, judged, and how far the file has been read. */
export interface FileChunk<Row> {
  readonly rows: readonly Row[];
  readonly refusals: readonly RefusedRow[];
  readonly bytesRead: number;
}

/** A file as it is read: what it is, and its rows in chunks. */
export type OpenedFile<Row> =
  | {
      readonly kind: 'file';
      readonly format: () => FileFormat;
      readonly mapping: ColumnMapping;
      readonly chunks: AsyncGenerator<FileChunk<Row>>;
    }
  | { readonly kind: 'fault'; readonly fault: ImportFault };

/** How the rows of a file are taken: what its columns are, and what each row says. */
export interface FileReading<Row> {
  readonly plan: (headers: readonly string[]) => ImportPlan;
  readonly judge: (targets: readonly ColumnTarget[]) => (row: CsvRow) => RowVerdict<Row>;
}

/** Bytes that are read at a stretch: some five milliseconds, after which others have their turn. */
const STRETCH_BYTES = 16 * 1024;

/** Finds out what a file is by its beginning, and reads it piece by piece, holding one of them at a time. */
export async function openFile<Row>(
  pieces: AsyncIterable<Buffer>,
  reading: FileReading<Row>,
): Promise<OpenedFile<Row>> {
  const decoder = createContentDecoder();
  const stretches = stretchesOf(pieces);
  let bytesRead = 0;
  let sample = '';
  let isComplete = false;
  const next = async (): Promise<string | null> => {
    const stretch = await stretches.next();
    if (stretch.done === true) return null;
    bytesRead += stretch.value.length;
    return decoder.write(stretch.value);
  };
  while (sample.length < SAMPLE_BYTES && !isComplete) {
    const text = await next();
    if (text === null) {
      isComplete = true;
      sample += decoder.end();
    } else sample += text;
  }
  sample = withoutMark(sample);

  const delimiter = detectDelimiter(sample);
  const reader = createCsvReader(delimiter);
  const rows = reader.push(sample);
  if (isComplete) rows.push(...reader.end());
  const headers = headersOf(rows);
  const plan = reading.plan(headers);
  if (plan.kind === 'fault') return plan;
  const judge = reading.judge(plan.targets);

  async function* chunks(): AsyncGenerator<FileChunk<Row>> {
    yield judged(rows, judge, bytesRead);
    while (!isComplete) {
      const text = await next();
      isComplete = text === null;
      const more = text === null ? lastRows(reader, decoder.end()) : reader.push(text);
      yield judged(more, judge, bytesRead);
    }
  }
  return {
    kind: 'file',
    format: () => ({ encoding: decoder.encoding(), delimiter, headers }),
    mapping: plan.mapping,
    chunks: chunks(),
  };
}

async function* stretchesOf(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const piece of pieces) {
    for (let from = 0; from < piece.length; from += STRETCH_BYTES) {
      yield piece.subarray(from, from + STRETCH_BYTES);
      await setImmediate();
    }
  }
}

/** Takes the header from the rows: the first that is not blank. */
function headersOf(rows: CsvRow[]): string[] {
  for (;;) {
    const row = rows.shift();
    if (row === undefined) return [];
    if (row.kind === 'broken') return [row.text];
    if (row.fields.some((name) => name.trim() !== '')) return row.fields.map((name) => name.trim());
  }
}

function lastRows(reader: CsvReader, text: string): CsvRow[] {
  return [...reader.push(text), ...reader.end()];
}

function judged<Row>(
  given: readonly CsvRow[],
  judge: (row: CsvRow) => RowVerdict<Row>,
  bytesRead: number,
): FileChunk<Row> {
  const rows: Row[] = [];
  const refusals: RefusedRow[] = [];
  for (const row of given) {
    const verdict = judge(row);
    if (verdict.kind === 'row') rows.push(verdict.row);
    else if (verdict.kind === 'refused') refusals.push(verdict.row);
  }
  return { rows, refusals, bytesRead };
}

function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

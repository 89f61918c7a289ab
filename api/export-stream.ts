import { Readable } from 'node:stream';
import { stringify } from 'csv-stringify/sync';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { type Db, type Trx, withAccountReading } from '../db/database.ts';
import { readersInForce, type ReportReader } from '../db/readers-in-force.ts';
import { escapeFormula } from '../domain/csv-cell.ts';
import { oneOf } from './schemas/common.ts';

/** What a cell may hold. */
export type ExportValue = string | number | boolean | null;

/** Where rows come from, and how each is written. */
export interface ExportSource<Row> {
  /** The beginning of the file's name. */
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly value: (row: Row) => ExportValue }[];
  /** Rows after the cursor of the last one that was seen, null from the first on; empty at the end. */
  readonly readPage: (trx: Trx, after: string | null, limit: number) => Promise<readonly Row[]>;
  /** The cursor of a row, by which a download that broke off after it goes on. */
  readonly cursorOf: (row: Row) => string;
}

/** Query fields of every export. */
export const EXPORT_FIELDS = {
  format: Type.Optional(
    oneOf(['csv', 'ndjson'], {
      description:
        'csv (unless told): UTF-8 with a byte order mark and a header row, cells that a spreadsheet would run as a formula escaped by an apostrophe; numbers stay E.164. ndjson: an object a line.',
    }),
  ),
  cursor: Type.Optional(
    Type.String({
      maxLength: 64,
      description:
        'The last column or field of each row. A download that breaks off goes on after the last whole row that arrived, without another header.',
    }),
  ),
};

/** What the routes of exports share in the document. */
export const EXPORT_SCHEMA = {
  produces: ['text/csv', 'application/x-ndjson'],
  answer: Type.Unsafe<Readable>({ type: 'string', format: 'binary' }),
};

/** Rows of one read. */
const PAGE_ROWS = 4_000;
/** Rows that are formatted at a stretch: some 10 ms, after which other requests have their turn. */
const STRETCH_ROWS = 1_000;

/**
 * Answers with all rows of a source, page by page: each is read in a short transaction of its own while the one before
 * is on its way, so memory stays flat, no connection is held by a slow reader, and one who goes away ends it. What
 * fails on the way breaks the connection, so that nobody takes a part for the whole; so does the end of the reader's key,
 * or of what it may see, before the next page.
 */
export async function sendExport<Row>(
  reply: FastifyReply,
  db: Db,
  reader: ReportReader,
  source: ExportSource<Row>,
  query: { readonly format?: 'csv' | 'ndjson'; readonly cursor?: string },
): Promise<Readable> {
  const { format = 'csv', cursor = null } = query;
  const readPage: ReadPage<Row> = (after) =>
    withAccountReading(db, reader.accountId, (trx) => source.readPage(trx, after, PAGE_ROWS));
  // The first is awaited here, so that what is wrong from the beginning is a problem and no broken download.
  const first = await readPage(cursor);
  reply.type(format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson; charset=utf-8');
  reply.header('content-disposition', `attachment; filename="${source.name}.${format}"`);
  reply.header('cache-control', 'no-store');
  const write = format === 'csv' ? csvOf(source) : linesOf(source);
  const header = format === 'csv' && cursor === null ? headerOf(source) : '';
  const mayGoOn = async (): Promise<boolean> => (await readersInForce(db, [reader])).has(reader);
  return Readable.from(textOf(source, { first, readPage, write, header, mayGoOn }));
}

type ReadPage<Row> = (after: string | null) => Promise<readonly Row[]>;

interface Writing<Row> {
  readonly first: readonly Row[];
  readonly readPage: ReadPage<Row>;
  readonly write: (rows: readonly Row[]) => string;
  readonly header: string;
  readonly mayGoOn: () => Promise<boolean>;
}

async function* textOf<Row>(
  source: ExportSource<Row>,
  { first, readPage, write, header, mayGoOn }: Writing<Row>,
): AsyncGenerator<Buffer> {
  if (header !== '') yield Buffer.from(header);
  let rows = first;
  for (;;) {
    const last = rows.at(-1);
    if (last === undefined) return;
    const ahead = readPage(source.cursorOf(last));
    // It is awaited once this page is on its way; until then a failure must not count as unhandled.
    ahead.catch(() => undefined);
    for (let from = 0; from < rows.length; from += STRETCH_ROWS) {
      yield Buffer.from(write(rows.slice(from, from + STRETCH_ROWS)));
    }
    rows = await ahead;
    if (!(await mayGoOn())) throw new Error('Whoever downloads this may not read it any more.');
  }
}

function headerOf<Row>({ columns }: ExportSource<Row>): string {
  return `\uFEFF${stringify([[...columns.map((column) => column.name), 'cursor']])}`;
}

function csvOf<Row>({ columns, cursorOf }: ExportSource<Row>): (rows: readonly Row[]) => string {
  return (rows) =>
    stringify(
      rows.map((row) => [
        ...columns.map(({ value }) => {
          const cell = value(row);
          return typeof cell === 'string' ? escapeFormula(cell) : String(cell ?? '');
        }),
        cursorOf(row),
      ]),
    );
}

function linesOf<Row>({ columns, cursorOf }: ExportSource<Row>): (rows: readonly Row[]) => string {
  return (rows) => {
    let text = '';
    for (const row of rows) {
      const fields = Object.fromEntries(columns.map(({ name, value }) => [name, value(row)]));
      text += `${JSON.stringify({ ...fields, cursor: cursorOf(row) })}\n`;
    }
    return text;
  };
}

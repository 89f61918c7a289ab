import type { ContactImport } from '../../db/imports.ts';
import { createContactWriter } from '../../db/imports/contact-writer.ts';
import type { RowWriter } from '../../db/imports/row-writer.ts';
import { createSuppressionWriter } from '../../db/imports/suppression-writer.ts';
import { type ContactRow, createRowReader, mergeRows } from '../../domain/import/contact-row.ts';
import { planImport } from '../../domain/import/import-plan.ts';
import {
  createSuppressionReader,
  planSuppressionImport,
  type SuppressionRow,
} from '../../domain/import/suppression-row.ts';
import type { FileReading } from './read-file.ts';

/** What the rows of a file are: how they are read, which of them are about the same, and how they are written. */
export interface ImportSubject<Row> extends FileReading<Row> {
  readonly keyOf: (row: Row) => string;
  readonly merge: (earlier: Row, later: Row) => Row;
  readonly writer: RowWriter<Row>;
}

/** Files of contacts. */
export function contactsSubject(
  deps: { readonly hashKey: Buffer },
  accountId: string,
  found: ContactImport,
): ImportSubject<ContactRow> {
  return {
    plan: (headers) => planImport(headers, found.mapping),
    judge: (targets) => createRowReader(targets, found.defaultCountry),
    keyOf: (row) => row.number,
    merge: mergeRows,
    writer: createContactWriter({ accountId, hashKey: deps.hashKey, listIds: found.listIds }),
  };
}

/** Files of numbers that must not be texted. */
export function suppressionsSubject(
  deps: { readonly hashKey: Buffer },
  accountId: string,
  found: ContactImport,
): ImportSubject<SuppressionRow> {
  const defaults = { kind: found.suppressionKind ?? 'manual', reason: found.suppressionReason };
  return {
    plan: (headers) => planSuppressionImport(headers, found.mapping),
    judge: (targets) => createSuppressionReader(targets, found.defaultCountry, defaults),
    keyOf: (row) => `${row.kind} ${row.number}`,
    merge: (_earlier, later) => later,
    writer: createSuppressionWriter({
      accountId,
      importId: found.id,
      hashKey: deps.hashKey,
      who: found.createdBy,
    }),
  };
}

import { type Static, Type } from 'typebox';
import type { ContactImport } from '../../db/imports.ts';
import type { Refusal } from '../../db/imports/refusals.ts';
import { type ColumnMapping, type ColumnTarget, isColumnTarget } from '../../domain/csv-format.ts';
import { IMPORT_STATUSES } from '../../domain/import/import-plan.ts';
import { REFUSAL_ADVICE } from '../../domain/import/refusal-advice.ts';
import { type FieldError, Problem } from '../problem.ts';
import { idOf, INSTANT, nullable, oneOf } from '../schemas/common.ts';

const TARGET = nullable(
  Type.String({
    maxLength: 80,
    description: 'number, firstName, lastName, timeZone or custom.<key>; null leaves the column out.',
    examples: ['number'],
  }),
);
/** What the columns are, by their names in the file's first row. */
export const MappingInput = Type.Record(Type.String(), TARGET, {
  maxProperties: 256,
  examples: [{ Mobile: 'number', 'First Name': 'firstName', City: 'custom.city' }],
});

const COUNT = Type.Integer({ minimum: 0 });

/** An import in an answer. */
export const ImportOutput = Type.Object({
  id: idOf('imp'),
  status: oneOf(IMPORT_STATUSES, {
    description:
      'waiting for content, queued, running, then finished or failed. Nothing of a failed one was imported.',
  }),
  subject: oneOf(['contacts', 'suppressions'], { description: 'What its rows are.' }),
  suppressionKind: nullable(
    Type.String({ description: 'What rows of suppressions mean that name no kind.' }),
  ),
  listIds: Type.Array(Type.String()),
  defaultCountry: Type.String({ examples: ['US'] }),
  mapping: nullable(Type.Record(Type.String(), nullable(Type.String()))),
  format: nullable(
    Type.Object({
      encoding: Type.String({ examples: ['utf-8'] }),
      delimiter: Type.String({ examples: [','] }),
      columns: Type.Array(Type.String()),
    }),
  ),
  bytes: COUNT,
  bytesRead: COUNT,
  rows: Type.Object(
    { read: COUNT, imported: COUNT, created: COUNT, merged: COUNT, refused: COUNT },
    {
      description:
        'read is the sum of imported (contacts created or changed), merged (rows about a number that the file names again: the last row wins) and refused.',
    },
  ),
  error: nullable(Type.Object({ code: Type.String(), message: Type.String() })),
  createdBy: Type.String(),
  createdAt: INSTANT,
  finishedAt: nullable(INSTANT),
});

/** A refused row in an answer. */
export const RefusalOutput = Type.Object({
  line: Type.Integer({ description: 'The line of the file on which the row begins, from 1.' }),
  reason: Type.String({ examples: ['impossible'] }),
  field: nullable(Type.String({ examples: ['number'] })),
  message: Type.String(),
  row: nullable(Type.String({ description: 'The beginning of the row.' })),
});

/** An import as it is shown. */
export function importView(found: ContactImport): Static<typeof ImportOutput> {
  const { id, status, listIds, defaultCountry, mapping, format, bytes, bytesRead, rows, error } = found;
  return {
    id,
    status,
    subject: found.subject,
    suppressionKind: found.suppressionKind,
    listIds: [...listIds],
    defaultCountry,
    mapping: mapping === null ? null : shownMapping(mapping, found.subject),
    format:
      format === null
        ? null
        : { encoding: format.encoding, delimiter: format.delimiter, columns: [...format.headers] },
    bytes,
    bytesRead,
    rows: { ...rows },
    error: error === null ? null : { ...error },
    createdBy: found.createdBy,
    createdAt: found.createdAt.toISOString(),
    finishedAt: found.finishedAt?.toISOString() ?? null,
  };
}

/** A refused row as it is shown. */
export function refusalView(refusal: Refusal): Static<typeof RefusalOutput> {
  const { line, reason, field, raw } = refusal;
  return {
    line,
    reason,
    field: field === null ? null : shownTarget(field),
    message: REFUSAL_ADVICE[reason] ?? 'This row cannot be imported.',
    row: raw,
  };
}

/** Checks a mapping as far as that is possible without the file. Throws a Problem that names each field. */
export function toMapping(input: Static<typeof MappingInput>): ColumnMapping {
  const errors: FieldError[] = [];
  const mapping: Record<string, ColumnTarget> = {};
  const seen = new Set<string>();
  for (const [header, given] of Object.entries(input)) {
    const pointer = `/mapping/${header}`;
    const target = given === 'timeZone' ? 'zone' : given;
    if (target !== null && (given === 'zone' || !isColumnTarget(target))) {
      errors.push({
        pointer,
        message: 'Give number, firstName, lastName, timeZone or custom.<key>, or null.',
      });
      continue;
    }
    if (target !== null && seen.has(target)) {
      errors.push({ pointer, message: 'Another column is mapped to this already. Map each field once.' });
    }
    if (target !== null) seen.add(target);
    mapping[header.trim()] = target;
  }
  if (errors.length === 0 && !seen.has('number')) {
    errors.push({ pointer: '/mapping', message: 'Map one column to number.' });
  }
  if (errors.length > 0) {
    throw new Problem('not-acceptable-value', 'The mapping is not acceptable.', { errors });
  }
  return mapping;
}

function shownMapping(
  mapping: ColumnMapping,
  subject: ContactImport['subject'],
): Record<string, string | null> {
  const shown = (target: string): string =>
    subject === 'suppressions' ? target.replace('custom.', '') : shownTarget(target);
  return Object.fromEntries(
    Object.entries(mapping).map(([header, target]) => [header, target === null ? null : shown(target)]),
  );
}

function shownTarget(target: string): string {
  return target === 'zone' ? 'timeZone' : target;
}

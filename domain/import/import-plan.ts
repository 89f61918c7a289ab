import { CUSTOM_KEYS_MAX } from '../contact.ts';
import {
  COLUMNS_MAX,
  type ColumnMapping,
  type ColumnTarget,
  columnTargets,
  type Delimiter,
  guessMapping,
} from '../csv-format.ts';

/** The stages of an import; the last two are final. */
export const IMPORT_STATUSES = ['waiting', 'queued', 'running', 'finished', 'failed'] as const;
/** Where an import stands. */
export type ImportStatus = (typeof IMPORT_STATUSES)[number];

/** Why a whole file cannot be imported; `message` says how to mend it. */
export interface ImportFault {
  readonly code:
    | 'empty_file'
    | 'too_many_columns'
    | 'no_number_column'
    | 'unknown_columns'
    | 'too_many_custom_fields'
    | 'list_gone';
  readonly message: string;
}

/** What was found out about a file. */
export interface FileFormat {
  readonly encoding: string;
  readonly delimiter: Delimiter;
  readonly headers: readonly string[];
}

/** How a file's columns are read, or why it cannot be. */
export type ImportPlan =
  | { readonly kind: 'plan'; readonly mapping: ColumnMapping; readonly targets: readonly ColumnTarget[] }
  | { readonly kind: 'fault'; readonly fault: ImportFault };

const HEADERS_SHOWN_MAX = 20;
const HEADER_SHOWN_LENGTH_MAX = 40;

/** Decides what each column is: as the mapping says, or as the headers suggest where none was given. */
export function planImport(headers: readonly string[], given: ColumnMapping | null): ImportPlan {
  if (headers.every((header) => header.trim() === '')) {
    return fault(
      'empty_file',
      'The file has no first row with column names. Put them there, one of them for the numbers, and import it again.',
    );
  }
  if (headers.length > COLUMNS_MAX) {
    return fault(
      'too_many_columns',
      `The file has ${headers.length} columns and may have ${COLUMNS_MAX}. Leave out those that are not needed.`,
    );
  }
  if (given !== null) {
    const unknown = Object.keys(given).filter((header) => !headers.includes(header));
    if (unknown.length > 0) {
      return fault(
        'unknown_columns',
        `The mapping names ${shown(unknown)}, which the file does not have. Its columns are ${shown(headers)}.`,
      );
    }
  }
  const mapping = given ?? withinCustomMax(guessMapping(headers));
  const targets = columnTargets(headers, mapping);
  if (targets.filter((target) => target === 'number').length !== 1) {
    return fault(
      'no_number_column',
      `No column could be taken for the phone numbers; the columns are ${shown(headers)}. ` +
        'Name one of them "Mobile" in the first row, or give a mapping from its name to "number".',
    );
  }
  if (targets.filter(isCustom).length > CUSTOM_KEYS_MAX) {
    return fault(
      'too_many_custom_fields',
      `The mapping has more than ${CUSTOM_KEYS_MAX} custom fields, which is all that a contact can have. Map fewer columns.`,
    );
  }
  return { kind: 'plan', mapping, targets };
}

/** Columns beyond the most custom fields are left out where nobody has chosen; the mapping that is shown says so. */
function withinCustomMax(mapping: ColumnMapping): ColumnMapping {
  let count = 0;
  return Object.fromEntries(
    Object.entries(mapping).map(([header, target]) => {
      if (isCustom(target)) count += 1;
      return [header, isCustom(target) && count > CUSTOM_KEYS_MAX ? null : target];
    }),
  );
}

function isCustom(target: ColumnTarget): boolean {
  return target?.startsWith('custom.') === true;
}

function shown(headers: readonly string[]): string {
  const some = headers
    .slice(0, HEADERS_SHOWN_MAX)
    .map((header) => `"${header.slice(0, HEADER_SHOWN_LENGTH_MAX).replaceAll(/[\0\p{Cs}]/gu, '')}"`);
  return headers.length > some.length ? `${some.join(', ')} and others` : some.join(', ');
}

function fault(code: ImportFault['code'], message: string): ImportPlan {
  return { kind: 'fault', fault: { code, message } };
}

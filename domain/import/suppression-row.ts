import { type ColumnMapping, type ColumnTarget, guessMapping } from '../csv-format.ts';
import { isSuppressionKind, SUPPRESSION_REASON_LENGTH_MAX, type SuppressionKind } from '../suppression.ts';
import { type RowVerdict, createRowReader } from './contact-row.ts';
import type { CsvRow } from './csv-rows.ts';
import { type ImportPlan, planImport } from './import-plan.ts';

/** A number to suppress as one row of a file gives it. */
export interface SuppressionRow {
  readonly line: number;
  /** E.164. */
  readonly number: string;
  readonly kind: SuppressionKind;
  readonly reason: string | null;
}

/** What rows mean that say nothing of it themselves. */
export interface SuppressionDefaults {
  readonly kind: SuppressionKind;
  readonly reason: string | null;
}

/** What a column of a file of suppressions can be, as the files of contacts spell it. */
const KIND = 'custom.kind';
const REASON = 'custom.reason';

/** Decides what each column is; whatever is neither number, kind nor reason is left out. */
export function planSuppressionImport(headers: readonly string[], given: ColumnMapping | null): ImportPlan {
  return planImport(headers, given ?? narrowed(guessMapping(headers)));
}

function narrowed(mapping: ColumnMapping): ColumnMapping {
  const keep = (target: ColumnTarget): ColumnTarget =>
    target === 'number' || target === KIND || target === REASON ? target : null;
  return Object.fromEntries(Object.entries(mapping).map(([header, target]) => [header, keep(target)]));
}

/**
 * Makes the function that judges rows of one file. A row can only suppress: a kind that is none, such as the
 * "subscribed" of another product's export, refuses its row, and so does an erasure, which is done one by one.
 */
export function createSuppressionReader(
  targets: readonly ColumnTarget[],
  defaultCountry: string,
  defaults: SuppressionDefaults,
): (row: CsvRow) => RowVerdict<SuppressionRow> {
  const judge = createRowReader(targets, defaultCountry);
  return (csvRow) => {
    const verdict = judge(csvRow);
    if (verdict.kind !== 'row') return verdict;
    const { line, number, custom } = verdict.row;
    const raw = csvRow.kind === 'fields' ? csvRow.fields.join(' | ') : csvRow.text;
    const given = custom['kind']?.toLowerCase().replaceAll(/[\s-]+/g, '_');
    const kind = given ?? defaults.kind;
    if (!isSuppressionKind(kind)) return refused(line, 'unknown_kind', KIND, raw);
    if (kind === 'erased') return refused(line, 'erasure_in_file', KIND, raw);
    const reason = custom['reason'] ?? defaults.reason;
    if (reason !== null && reason.length > SUPPRESSION_REASON_LENGTH_MAX) {
      return refused(line, 'field_too_long', REASON, raw);
    }
    return { kind: 'row', row: { line, number, kind, reason } };
  };
}

function refused(
  line: number,
  reason: 'unknown_kind' | 'erasure_in_file' | 'field_too_long',
  target: string,
  raw: string,
): RowVerdict<SuppressionRow> {
  // Whoever mapped the columns calls it kind or reason.
  const field = target.replace('custom.', '');
  return { kind: 'refused', row: { line, reason, field, raw: storable(raw) } };
}

const RAW_LENGTH_MAX = 1_000;

/** PostgreSQL has no NUL in a text and UTF-8 no lone surrogate, so neither is kept. */
function storable(text: string): string {
  return text.slice(0, RAW_LENGTH_MAX).replaceAll(/[\0\p{Cs}]/gu, '');
}

import { type ColumnTarget, FIELD_LENGTH_MAX } from '../csv-format.ts';
import { type InvalidNumberReason, parsePhoneNumber } from '../phone-number.ts';
import { CUSTOM_VALUE_LENGTH_MAX, NAME_LENGTH_MAX } from '../contact.ts';
import { isWellFormedText } from '../text-input.ts';
import { isTimeZone } from '../zoned-time.ts';
import type { CsvRow } from './csv-rows.ts';

/** Why a row was refused; the value is stable and shown in the report. */
export type RefusalReason =
  | InvalidNumberReason
  | 'malformed_quotes'
  | 'row_too_long'
  | 'too_many_fields'
  | 'field_too_long'
  | 'undecodable_text'
  | 'control_characters'
  | 'unknown_zone'
  | 'unknown_kind'
  | 'erasure_in_file';

/** A contact as one row gives it. Null, and a key that is absent, say nothing about the contact. */
export interface ContactRow {
  readonly line: number;
  readonly number: string;
  readonly country: string;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly timeZone: string | null;
  readonly custom: Readonly<Record<string, string>>;
}

/** A row that is not imported. `field` is the target of the column at fault, null where it is the whole row. */
export interface RefusedRow {
  readonly line: number;
  readonly reason: RefusalReason;
  readonly field: string | null;
  /** The beginning of the row's text, for the person who mends the file. */
  readonly raw: string;
}

/** What became of a row; a blank one is neither imported nor refused. */
export type RowVerdict<Row> =
  | { readonly kind: 'row'; readonly row: Row }
  | { readonly kind: 'refused'; readonly row: RefusedRow }
  | { readonly kind: 'blank' };

const RAW_LENGTH_MAX = 1_000;
const ZONES_CACHED_MAX = 1_000;
const NO_CUSTOM: Readonly<Record<string, string>> = Object.freeze({});

/** Makes the function that judges rows of one file: what each column is, and the country of national numbers. */
export function createRowReader(
  targets: readonly ColumnTarget[],
  defaultCountry: string,
): (row: CsvRow) => RowVerdict<ContactRow> {
  const columns = targets.flatMap((target, index) => (target === null ? [] : [{ target, index }]));
  const isZone = createZoneCheck();

  return (row) => {
    if (row.kind === 'broken') {
      return {
        kind: 'refused',
        row: { line: row.line, reason: row.reason, field: null, raw: storable(row.text) },
      };
    }
    const { line, fields } = row;
    if (fields.every((field) => field.trim() === '')) return { kind: 'blank' };
    const refuse = (reason: RefusalReason, field: string | null): RowVerdict<ContactRow> => ({
      kind: 'refused',
      row: { line, reason, field, raw: rawOf(fields) },
    });
    if (hasFieldsBeyond(fields, targets.length)) return refuse('too_many_fields', null);

    let number = '';
    let country = '';
    let firstName: string | null = null;
    let lastName: string | null = null;
    let timeZone: string | null = null;
    let custom: Record<string, string> | null = null;
    for (const { target, index } of columns) {
      const given = fields[index];
      if (target === 'number') {
        const parsed = parsePhoneNumber(given ?? '', defaultCountry);
        if (parsed.kind === 'invalid') return refuse(parsed.reason, target);
        ({ number, country } = parsed);
        continue;
      }
      if (given === undefined || given === '') continue;
      const text = cleanText(given);
      if (text === '') continue;
      const fault = textFault(text, target);
      if (fault !== null) return refuse(fault, target);
      if (target === 'firstName') firstName = onOneLine(text);
      else if (target === 'lastName') lastName = onOneLine(text);
      else if (target === 'zone') {
        if (!isZone(text)) return refuse('unknown_zone', target);
        timeZone = text;
      } else {
        custom ??= {};
        custom[target.slice('custom.'.length)] = text;
      }
    }
    return {
      kind: 'row',
      row: { line, number, country, firstName, lastName, timeZone, custom: custom ?? NO_CUSTOM },
    };
  };
}

/**
 * Two rows about the same number as one: the later row wins field by field, and a field that it leaves empty
 * keeps the earlier row's value, just as if the two had been imported one after the other.
 */
export function mergeRows(earlier: ContactRow, later: ContactRow): ContactRow {
  return {
    line: later.line,
    number: later.number,
    country: later.country,
    firstName: later.firstName ?? earlier.firstName,
    lastName: later.lastName ?? earlier.lastName,
    timeZone: later.timeZone ?? earlier.timeZone,
    custom: { ...earlier.custom, ...later.custom },
  };
}

/** Files repeat a handful of zones, and asking the platform is slow. */
function createZoneCheck(): (zone: string) => boolean {
  const known = new Map<string, boolean>();
  return (zone) => {
    const cached = known.get(zone);
    if (cached !== undefined) return cached;
    const verdict = isTimeZone(zone);
    if (known.size < ZONES_CACHED_MAX) known.set(zone, verdict);
    return verdict;
  };
}

function cleanText(given: string): string {
  const text = given.trim();
  return text.includes('\r') ? text.replaceAll(/\r\n?/g, '\n') : text;
}

function onOneLine(text: string): string {
  return /[\n\t]/.test(text) ? text.replaceAll(/\s+/g, ' ') : text;
}

function textFault(text: string, target: NonNullable<ColumnTarget>): RefusalReason | null {
  if (text.length > lengthMax(target)) return 'field_too_long';
  // What a decoder puts where bytes do not fit the encoding.
  if (text.includes('\uFFFD')) return 'undecodable_text';
  return isWellFormedText(text) ? null : 'control_characters';
}

function lengthMax(target: NonNullable<ColumnTarget>): number {
  if (target === 'firstName' || target === 'lastName') return NAME_LENGTH_MAX;
  return target === 'zone' ? FIELD_LENGTH_MAX : CUSTOM_VALUE_LENGTH_MAX;
}

function hasFieldsBeyond(fields: readonly string[], width: number): boolean {
  for (let index = width; index < fields.length; index += 1) {
    if (fields[index]?.trim() !== '') return true;
  }
  return false;
}

function rawOf(fields: readonly string[]): string {
  return storable(fields.join(' | ').slice(0, RAW_LENGTH_MAX));
}

/** PostgreSQL has no NUL in a text and UTF-8 no lone surrogate, so neither is kept. */
function storable(text: string): string {
  return text.replaceAll(/[\0\p{Cs}]/gu, '');
}

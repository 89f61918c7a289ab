import { CUSTOM_KEY_LENGTH_MAX, isCustomKey } from './template.ts';

/** A character that separates the fields of a row. */
export type Delimiter = ',' | ';' | '\t' | '|';

/** What a column is imported as; null leaves it out. */
export type ColumnTarget = 'number' | 'firstName' | 'lastName' | 'zone' | `custom.${string}` | null;

/** What each column is imported as, by its header exactly as it stands in the file. */
export type ColumnMapping = Readonly<Record<string, ColumnTarget>>;

/** The most columns of a file. */
export const COLUMNS_MAX = 256;
/** The most characters of one field; a longer one refuses its row. */
export const FIELD_LENGTH_MAX = 2_000;
/** The most bytes of one row: a quote that is never closed must not swallow the rest of a large file. */
export const ROW_BYTES_MAX = 1_048_576;
/** How much of a file's beginning is looked at to find out encoding and delimiter. */
export const SAMPLE_BYTES = 65_536;

const DELIMITERS: readonly Delimiter[] = [',', ';', '\t', '|'];
const SAMPLE_ROWS_MAX = 50;

/**
 * The delimiter of a file, judged by its beginning: the one that divides the most rows into as many fields as
 * the header. Quoted fields are skipped. A comma where nothing divides the rows.
 */
export function detectDelimiter(sampleText: string): Delimiter {
  const rows = countDelimiters(sampleText);
  const header = rows[0];
  if (header === undefined) return ',';
  let best: Delimiter = ',';
  let bestScore = 0;
  for (const delimiter of DELIMITERS) {
    const expected = header[delimiter];
    if (expected === 0) continue;
    const agreeing = rows.filter((row) => row[delimiter] === expected).length;
    // Agreement counts most; among equals the delimiter that makes more columns.
    const score = agreeing / rows.length + expected / 10_000;
    if (score > bestScore) {
      best = delimiter;
      bestScore = score;
    }
  }
  return best;
}

/**
 * Guesses what the columns of a file are by their headers. The best match is the number, one column each is
 * first name, last name and zone, every other named column a custom field; of two columns that come to the same
 * key the first keeps it.
 */
export function guessMapping(headers: readonly string[]): ColumnMapping {
  const keys = headers.map(customKeyOf);
  const targets: ColumnTarget[] = headers.map(() => null);
  for (const [target, spellings] of KNOWN_NAMES) {
    const index = spellings.map((name) => keys.indexOf(name)).find((found) => found !== -1);
    if (index !== undefined) targets[index] = target;
  }
  const used = new Set<string>();
  for (const [index, key] of keys.entries()) {
    if (key === null || targets[index] !== null || used.has(key)) continue;
    used.add(key);
    targets[index] = `custom.${key}`;
  }
  return firstOfEachHeader(headers, targets);
}

/**
 * The target of each column in the file's order. Headers that the mapping does not name are left out, and of
 * columns with the same header only the first is imported.
 */
export function columnTargets(headers: readonly string[], mapping: ColumnMapping): ColumnTarget[] {
  const seen = new Set<string>();
  return headers.map((header) => {
    if (seen.has(header)) return null;
    seen.add(header);
    return Object.hasOwn(mapping, header) ? (mapping[header] ?? null) : null;
  });
}

/** Whether a text names a target: number, firstName, lastName, zone, or `custom.` and a valid key. */
export function isColumnTarget(target: string): target is NonNullable<ColumnTarget> {
  if (target === 'number' || target === 'firstName' || target === 'lastName' || target === 'zone')
    return true;
  return target.startsWith('custom.') && isCustomKey(target.slice('custom.'.length));
}

/** The key of a custom field for a header: 'Loyalty Points (€)' becomes loyalty_points; null if nothing is left. */
export function customKeyOf(header: string): string | null {
  const key = header
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .normalize('NFC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '_')
    .replaceAll(/^[_\p{N}]+|_+$/gu, '')
    .slice(0, CUSTOM_KEY_LENGTH_MAX);
  return isCustomKey(key) ? key : null;
}

/** Headers as {@link customKeyOf} spells them, the surest first. */
const KNOWN_NAMES: readonly (readonly [NonNullable<ColumnTarget>, readonly string[]])[] = [
  [
    'number',
    names(
      'mobile mobile_number mobile_phone mobile_phone_number mobile_no cell cell_phone cellphone cell_number',
      'mobil mobilnummer mobiltelefon handy handynummer portable movil celular sms sms_number',
      'phone phone_number phonenumber phone_no number telephone telephone_number telefon telefonnummer',
      'telefono tel contact_number whatsapp msisdn e_164 e164 nummer numero phone_1 to',
    ),
  ],
  [
    'firstName',
    names('first_name firstname first given_name givenname forename vorname prenom nombre fname'),
  ],
  [
    'lastName',
    names(
      'last_name lastname last surname family_name familyname nachname nom nom_de_famille',
      'apellido apellidos lname',
    ),
  ],
  ['zone', names('time_zone timezone zone tz zeitzone fuseau_horaire zona_horaria')],
];

function names(...lines: string[]): string[] {
  return lines.flatMap((line) => line.split(' '));
}

function firstOfEachHeader(headers: readonly string[], targets: readonly ColumnTarget[]): ColumnMapping {
  const byHeader = new Map<string, ColumnTarget>();
  for (const [index, header] of headers.entries()) {
    const known = byHeader.get(header);
    if (known === undefined || known === null) byHeader.set(header, targets[index] ?? null);
  }
  return Object.fromEntries(byHeader);
}

/** How often each delimiter stands outside quotes in each of the first rows; a row cut off by the sample is left out. */
function countDelimiters(sampleText: string): Record<Delimiter, number>[] {
  const rows: Record<Delimiter, number>[] = [];
  let row = emptyRow();
  let rowIsBlank = true;
  let quoted = false;
  for (const character of sampleText) {
    if (character === '"') quoted = !quoted;
    else if (!quoted && isDelimiter(character)) row[character] += 1;
    else if (!quoted && (character === '\n' || character === '\r')) {
      if (!rowIsBlank) rows.push(row);
      if (rows.length >= SAMPLE_ROWS_MAX) return rows;
      row = emptyRow();
      rowIsBlank = true;
      continue;
    }
    rowIsBlank = false;
  }
  if (rows.length === 0 && !rowIsBlank) rows.push(row);
  return rows;
}

function isDelimiter(character: string): character is Delimiter {
  return DELIMITERS.some((delimiter) => delimiter === character);
}

function emptyRow(): Record<Delimiter, number> {
  return { ',': 0, ';': 0, '\t': 0, '|': 0 };
}

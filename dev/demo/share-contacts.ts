import { detectDelimiter, SAMPLE_BYTES } from '../../domain/csv-format.ts';
import { createCsvReader } from '../../domain/import/csv-rows.ts';

/**
 * Divides a file of contacts in UTF-8 among so many, row by row in turn, each share with the header. A row whose quotes
 * make no sense goes along as it stands, so that the import tells of it.
 */
export function shareContacts(file: Buffer, shares: number): Buffer[] {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(file);
  const delimiter = detectDelimiter(text.slice(0, SAMPLE_BYTES));
  const reader = createCsvReader(delimiter);
  const [header, ...rows] = [...reader.push(text), ...reader.end()].map((row) =>
    row.kind === 'broken' ? row.text : row.fields.map((field) => quoted(field, delimiter)).join(delimiter),
  );
  if (header === undefined) throw new Error('The file of contacts is empty.');
  return Array.from({ length: shares }, (_, share) => {
    const own = rows.filter((_row, index) => index % shares === share);
    return Buffer.from(`${[header, ...own].join('\n')}\n`);
  });
}

function quoted(field: string, delimiter: string): string {
  return field.includes(delimiter) || /["\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

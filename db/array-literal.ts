/**
 * An array of numbers as PostgreSQL reads it. The driver makes one of an array by itself, but looks into each element
 * for what has to be escaped, which of a thousand rows takes longer than anything else.
 */
export function numbersLiteral(values: readonly number[]): string {
  return `{${values.join(',')}}`;
}

/** An array of texts as PostgreSQL reads it. */
export function textsLiteral(values: readonly (string | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : quoted(value))).join(',')}}`;
}

function quoted(value: string): string {
  return `"${value.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}

/** What an update changed, as the log keeps it. */
export interface Changes {
  readonly from: Readonly<Record<string, unknown>>;
  readonly to: Readonly<Record<string, unknown>>;
  /** Every field that changed, also those whose values are nobody's business. */
  readonly fields: readonly string[];
}

/**
 * The fields that differ between two states of a thing, with their values before and after. Those in `kept` are
 * named without their values: texts, phone numbers, names of people, secrets. Null when nothing differs.
 */
export function changesBetween(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
  kept: readonly string[] = [],
): Changes | null {
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]),
  );
  if (fields.length === 0) return null;
  const shown = fields.filter((field) => !kept.includes(field));
  return { from: pick(before, shown), to: pick(after, shown), fields };
}

function pick(state: Readonly<Record<string, unknown>>, fields: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(fields.map((field) => [field, state[field] ?? null]));
}

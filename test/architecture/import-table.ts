/**
 * Which part may import which. A part is a top-level folder or file; `types` may be imported as types only.
 * ARCHITECTURE.md shows the same table.
 */
export const IMPORT_TABLE: Record<
  string,
  { readonly code: readonly string[]; readonly types: readonly string[] }
> = {
  domain: { code: [], types: [] },
  carrier: { code: ['domain', 'parent-watch.ts'], types: [] },
  db: { code: ['domain'], types: [] },
  workflows: { code: ['domain'], types: ['activities'] },
  activities: { code: ['domain', 'db', 'carrier'], types: [] },
  engine: { code: ['domain', 'db'], types: ['workflows'] },
  simulate: { code: ['domain'], types: ['carrier'] },
  api: { code: ['domain', 'db', 'carrier', 'config.ts', 'keys.ts', 'parent-watch.ts'], types: ['engine'] },
};

/** Single files that a part may import although it may not import the rest of their part. */
export const IMPORTABLE_FILES: Record<string, readonly string[]> = {
  api: ['workflows/contract.ts', 'engine/workflow-client.ts', 'engine/crash-hook.ts'],
  engine: ['workflows/contract.ts'],
  simulate: ['carrier/plivo/classify.ts'],
};

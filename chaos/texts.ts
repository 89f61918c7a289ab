import type { LedgerLine } from './carrier-ledger.ts';

/** What the carrier has accepted, by what stands for whom it went to. */
export type Texts = ReadonlyMap<string, readonly LedgerLine[]>;

/** Sorts a ledger. */
export function textsBy(ledger: readonly LedgerLine[], keyOf: (line: LedgerLine) => string): Texts {
  const texts = new Map<string, LedgerLine[]>();
  for (const line of ledger) {
    const key = keyOf(line);
    const known = texts.get(key);
    if (known === undefined) texts.set(key, [line]);
    else known.push(line);
  }
  return texts;
}

/** How many of somebody's texts did not fail. */
export function countTaken(texts: Texts, key: string): number {
  return (texts.get(key) ?? []).filter((line) => line.final !== 'failed').length;
}

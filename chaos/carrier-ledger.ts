/** A text that the carrier has accepted, as its own ledger tells. */
export interface LedgerLine {
  readonly src: string;
  readonly dst: string;
  /** Of the text. */
  readonly sha256: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly uuid: string;
  /** Null until the last word. */
  readonly final: string | null;
  /** The carrier's code; ours writes it as text. */
  readonly error_code: string | number | null;
}

/** Reads a ledger: NDJSON, a line for each acceptance. Numbers come with a plus. */
export async function readLedger(url: string): Promise<LedgerLine[]> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`The carrier's ledger answered ${response.status}.`);
  const lines = (await response.text()).split('\n').filter((line) => line !== '');
  return lines
    .map((line) => JSON.parse(line) as LedgerLine)
    .map((line) => ({ ...line, dst: line.dst.startsWith('+') ? line.dst : `+${line.dst}` }));
}

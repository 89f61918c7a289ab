/** A result: ours beside the yardstick's in one unit, and whether the bar holds. */
export interface BenchRow {
  readonly bench: string;
  readonly yardstick: string;
  readonly ours: number;
  readonly theirs: number;
  readonly unit: string;
  readonly ratio: { readonly min: number; readonly median: number; readonly max: number };
  /** The least median ratio, or the most that ours may exceed theirs by; null where the ratio is only shown. */
  readonly bar: string | null;
  readonly holds: boolean;
  readonly pairs: number;
}

/** Two ways to do the same work, or two sizes of it; each resolves with what is measured. */
export interface Pair {
  readonly ours: () => Promise<number>;
  readonly theirs: () => Promise<number>;
}

const PAIRS = 7;
const BUDGET_MS = 12 * 60_000;

/**
 * Runs both alternately, so that whatever else the machine does meets both alike: seven pairs, or as many as
 * fit into twelve minutes, and at least one. Resolves with the medians and the ratios ours / theirs.
 */
export async function measurePairs(
  pair: Pair,
  progress: (line: string) => void,
): Promise<Pick<BenchRow, 'ours' | 'theirs' | 'ratio' | 'pairs'>> {
  const ours: number[] = [];
  const theirs: number[] = [];
  const ratios: number[] = [];
  const started = performance.now();
  let longestMs = 0;
  while (ratios.length < PAIRS) {
    const from = performance.now();
    if (ratios.length > 0 && from - started + longestMs > BUDGET_MS) break;
    // Who comes first changes, since the second finds caches and clock speed as the first has left them.
    const isOursFirst = ratios.length % 2 === 0;
    const first = await (isOursFirst ? pair.ours() : pair.theirs());
    const second = await (isOursFirst ? pair.theirs() : pair.ours());
    const [our, their] = isOursFirst ? [first, second] : [second, first];
    ours.push(our);
    theirs.push(their);
    ratios.push(our / their);
    longestMs = Math.max(longestMs, performance.now() - from);
    progress(
      `  pair ${ratios.length}: ours ${shown(our)}, theirs ${shown(their)}, ratio ${(our / their).toFixed(2)}`,
    );
  }
  return {
    ours: median(ours),
    theirs: median(theirs),
    ratio: { min: Math.min(...ratios), median: median(ratios), max: Math.max(...ratios) },
    pairs: ratios.length,
  };
}

/** A result as a line for people. */
export function formatRow(row: BenchRow): string {
  const { min, median: middle, max } = row.ratio;
  const verdict = row.bar === null ? 'shown only' : `${row.holds ? 'holds' : 'MISSED'} (bar: ${row.bar})`;
  return (
    `${row.bench} / ${row.yardstick}: ours ${shown(row.ours)}, theirs ${shown(row.theirs)} ${row.unit}; ` +
    `ratio ${middle.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)}, ${row.pairs} pairs); ${verdict}`
  );
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

function shown(value: number): string {
  return Math.round(value).toLocaleString('en');
}

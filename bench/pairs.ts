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
export interface Pair<Figures = number> {
  readonly ours: () => Promise<Figures>;
  readonly theirs: () => Promise<Figures>;
}

/** Medians of what was measured, and the ratios ours / theirs. */
export type Measured = Pick<BenchRow, 'ours' | 'theirs' | 'ratio' | 'pairs'>;

/** How many pairs are run: so many, or as many as fit into the time, and at least one. */
export interface Repetition {
  readonly pairsMax: number;
  readonly budgetMs: number;
}

const REPETITION: Repetition = { pairsMax: 7, budgetMs: 12 * 60_000 };

/**
 * Runs both alternately, so that whatever else the machine does meets both alike: seven pairs, or as many as
 * fit into twelve minutes, unless it says otherwise. Resolves with the medians and the ratios ours / theirs.
 */
export async function measurePairs(
  pair: Pair,
  progress: (line: string) => void,
  repetition = REPETITION,
): Promise<Measured> {
  const named = (measure: () => Promise<number>) => async () => ({ figure: await measure() });
  const { figure } = await measureFigures(
    ['figure'],
    { ours: named(pair.ours), theirs: named(pair.theirs) },
    progress,
    repetition,
  );
  return figure;
}

/** The same where one run gives several figures. */
export async function measureFigures<Name extends string>(
  names: readonly Name[],
  pair: Pair<Readonly<Record<Name, number>>>,
  progress: (line: string) => void,
  { pairsMax, budgetMs } = REPETITION,
): Promise<Record<Name, Measured>> {
  const runs: { our: Readonly<Record<Name, number>>; their: Readonly<Record<Name, number>> }[] = [];
  const started = performance.now();
  let longestMs = 0;
  while (runs.length < pairsMax) {
    const from = performance.now();
    if (runs.length > 0 && from - started + longestMs > budgetMs) break;
    // Who comes first changes, since the second finds caches and clock speed as the first has left them.
    const isOursFirst = runs.length % 2 === 0;
    const first = await (isOursFirst ? pair.ours() : pair.theirs());
    const second = await (isOursFirst ? pair.theirs() : pair.ours());
    const [our, their] = isOursFirst ? [first, second] : [second, first];
    runs.push({ our, their });
    longestMs = Math.max(longestMs, performance.now() - from);
    for (const name of names) {
      const ratio = (our[name] / their[name]).toFixed(2);
      progress(
        `  pair ${runs.length}: ours ${shown(our[name])}, theirs ${shown(their[name])}, ratio ${ratio}`,
      );
    }
  }
  const measured = (name: Name): Measured => ({
    ours: median(runs.map(({ our }) => our[name])),
    theirs: median(runs.map(({ their }) => their[name])),
    ratio: spreadOf(runs.map(({ our, their }) => our[name] / their[name])),
    pairs: runs.length,
  });
  return Object.fromEntries(names.map((name) => [name, measured(name)])) as Record<Name, Measured>;
}

/** What ours may be at most, seen so many times. */
export function boundRow(
  of: Pick<BenchRow, 'bench' | 'yardstick' | 'unit'>,
  seen: readonly number[],
  max: number,
): BenchRow {
  const ratio = spreadOf(seen.map((one) => one / max));
  return {
    ...of,
    ours: median(seen),
    theirs: max,
    ratio,
    bar: 'ratio 1 at most',
    holds: ratio.median <= 1,
    pairs: seen.length,
  };
}

function spreadOf(ratios: readonly number[]): BenchRow['ratio'] {
  return { min: Math.min(...ratios), median: median(ratios), max: Math.max(...ratios) };
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

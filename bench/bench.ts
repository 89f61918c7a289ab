import { parseArgs } from 'node:util';
import { benchApi } from './api.ts';
import { benchBulk } from './bulk.ts';
import { benchCallbacks } from './callbacks.ts';
import { benchCentral } from './central.ts';
import { benchDispatch } from './dispatch.ts';
import { benchEvents } from './events.ts';
import { benchExport } from './export.ts';
import { benchFairness } from './fairness.ts';
import { benchHistories } from './histories.ts';
import { benchImport } from './import.ts';
import { benchMemory } from './memory.ts';
import { type BenchRow, formatRow } from './pairs.ts';
import { benchReport } from './report.ts';
import { benchScale } from './scale.ts';
import { benchSleepers } from './sleepers.ts';
import { benchWorkers } from './workers.ts';

/** What every bench may be told. */
export interface BenchOptions {
  /** Size of the work; each bench has its own default. */
  readonly rows: number | undefined;
  /** Sub-accounts of a parent, for the bench that has some. */
  readonly accounts: number | undefined;
  readonly progress: (line: string) => void;
}

const BENCHES: Readonly<Record<string, (options: BenchOptions) => Promise<BenchRow[]>>> = {
  api: benchApi,
  bulk: benchBulk,
  callbacks: benchCallbacks,
  central: benchCentral,
  dispatch: benchDispatch,
  events: benchEvents,
  export: benchExport,
  fairness: benchFairness,
  histories: benchHistories,
  import: benchImport,
  memory: benchMemory,
  report: benchReport,
  scale: benchScale,
  sleepers: benchSleepers,
  workers: benchWorkers,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    rows: { type: 'string' },
    accounts: { type: 'string' },
  },
});
const [name = ''] = positionals;
const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
const rows = countOf(values.rows);
const accounts = countOf(values.accounts);
if (bench === undefined || rows === null || accounts === null) {
  console.error(
    `Usage: npm run bench -- NAME [--json] [--rows N] [--accounts N]. NAME is ${Object.keys(BENCHES).join(', ')}.`,
  );
  process.exit(1);
}
// Standard output holds the results alone, so that a program can read them.
const results = await bench({ rows, accounts, progress: (line) => console.error(line) });
for (const row of results) console.log(values.json ? JSON.stringify(row) : formatRow(row));
process.exitCode = results.every((row) => row.holds) ? 0 : 1;

/** Undefined is not given, null is no count. */
function countOf(given: string | undefined): number | null | undefined {
  if (given === undefined) return undefined;
  const count = Number(given);
  return Number.isSafeInteger(count) && count > 0 ? count : null;
}

import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { join } from 'node:path';
import { withAccount } from '../db/database.ts';
import { createApiClient } from '../dev/demo/api-client.ts';
import { freePorts } from '../dev/ports.ts';
import { loadKeys } from '../keys.ts';
import { insertBenchKey } from './bench-account.ts';
import type { BenchOptions } from './bench.ts';
import { hashNumbers, reportsOf } from './callback-data.ts';
import { postReports, reportTarget, type ReportTarget, writeReports } from './callback-posts.ts';
import { seedDispatchAccount } from './dispatch-data.ts';
import { type DispatchPlace, withDispatchPlace } from './dispatch-place.ts';
import { type BenchRow, boundRow, measurePairs } from './pairs.ts';
import { type CountedReport, countRows, groupRows } from './report-count.ts';
import { type ReportedCampaign, seedReportedCampaign } from './report-data.ts';
import { numberIn, runProgram } from './run-program.ts';
import { startApi } from './start-server.ts';
import { withWorkers } from './start-worker.ts';

const RECIPIENTS = 10_000_000;
/** So many at most are still to be texted, and of as many the carrier's reports are still to come. */
const UNDER_WAY_MAX = 20_000;
const UNDER_WAY_SHARE = 0.1;
const RATIO_MIN = 100;
const P99_MS_MAX = 20;
const RUN_MS = 3_000;
const P99_RUNS = 7;
/** Who looks at it at once where its slowest answers are measured. */
const READERS = 4;
const KILL_AFTER = 0.3;
const LANES = [0, 1, 2, 3];
const PATIENCE_MS = 300_000;

interface ReportBench extends DispatchPlace {
  readonly campaign: ReportedCampaign;
  readonly key: string;
  readonly target: ReportTarget;
  readonly apiPort: number;
  readonly progress: (line: string) => void;
}

/**
 * Measures how fast the API reads the report of a campaign of ten million beside GROUP BY over the rows that it counts,
 * and compares the two after PostgreSQL was killed while results and callbacks were being written.
 */
export function benchReport(options: BenchOptions): Promise<BenchRow[]> {
  const recipients = options.rows ?? RECIPIENTS;
  const listed = Math.min(UNDER_WAY_MAX, Math.ceil(recipients * UNDER_WAY_SHARE));
  return withDispatchPlace(async (place) => {
    const [apiPort = 0] = await freePorts(1);
    options.progress(`Making a campaign of ${recipients} recipients`);
    const keys = await loadKeys({ home: place.folder, keys: undefined, hashKey: undefined });
    const account = await seedDispatchAccount(place.db, place.databaseUrl, listed);
    await hashNumbers(place.databaseUrl, keys.hashKey);
    const size = { recipients, listed };
    const campaign = await seedReportedCampaign(place.db, place.databaseUrl, account, size, keys.hashKey);
    const key = await withAccount(place.db, account.accountId, (trx) =>
      insertBenchKey(trx, account.accountId),
    );
    const api = await startApi(place.databaseUrl, apiPort, place.folder);
    try {
      const { progress } = options;
      const target = reportTarget(apiPort, keys.signing);
      const bench = { ...place, campaign, key, target, apiPort, progress };
      return [...(await speed(bench, recipients)), await equality(bench)];
    } finally {
      await api.stop();
    }
  });
}

async function speed(bench: ReportBench, recipients: number): Promise<BenchRow[]> {
  bench.progress('Reading the report, ours against GROUP BY');
  await read(bench, 1);
  const measured = await measurePairs(
    {
      ours: async () => numberIn(await read(bench, 1), 'answersPerSecond'),
      theirs: async () => 1_000 / (await groupRows(bench.databaseUrl, bench.campaign)).ms,
    },
    bench.progress,
  );
  const p99s: number[] = [];
  while (p99s.length < P99_RUNS) p99s.push(numberIn(await read(bench, READERS), 'p99Ms'));
  return [
    {
      bench: `report: of ${recipients} recipients`,
      yardstick: 'GROUP BY over the same rows',
      ...measured,
      unit: 'answers/s',
      bar: `ratio ${RATIO_MIN}`,
      holds: measured.ratio.median >= RATIO_MIN,
    },
    boundRow(
      { bench: `report: p99 for ${READERS} readers at once`, yardstick: `${P99_MS_MAX} ms`, unit: 'ms' },
      p99s,
      P99_MS_MAX,
    ),
  ];
}

function read(bench: ReportBench, connections: number): Promise<Record<string, unknown>> {
  const load = {
    url: `http://127.0.0.1:${bench.apiPort}`,
    headers: { authorization: `Bearer ${bench.key}` },
    connections,
    durationMs: RUN_MS,
    paths: [`/v1/campaigns/${bench.campaign.campaignId}`],
  };
  return runProgram('api-load.ts', [JSON.stringify(load)]);
}

/**
 * PostgreSQL is killed while lanes record results and the API takes callbacks. What the report says then is what the
 * rows say; and so it is once the lanes have gone on and the carrier has repeated its callbacks.
 */
async function equality(bench: ReportBench): Promise<BenchRow> {
  const file = join(bench.folder, 'callbacks.ndjson');
  const reports = reportsOf(bench.campaign, bench.target);
  await writeReports(file, reports);
  let same = await sameFields(bench, 'before');
  bench.progress('A SIGKILL of PostgreSQL while results and callbacks are written');
  const kill = { pid: bench.postgresPid(), afterAnswers: Math.ceil(reports.length * KILL_AFTER) };
  const [sent, posted, restarted] = await withWorkers(1, bench, ([worker]) =>
    Promise.allSettled([
      worker?.runLanes(bench.campaign, LANES),
      postReports(file, bench.apiPort, kill),
      bench.restartPostgres(),
    ]),
  );
  if (posted.status === 'rejected') throw posted.reason;
  if (restarted.status === 'rejected') throw restarted.reason;
  if (sent.status === 'fulfilled') throw new Error('The lanes were done before PostgreSQL was killed.');
  bench.progress(
    `    ${posted.value.answered.length} of ${reports.length} callbacks had been answered, and the lanes were at work`,
  );
  same = both(same, await sameFields(bench, 'after the kill'));
  await runLanes(bench);
  await postReports(file, bench.apiPort);
  same = both(same, await sameFields(bench, 'in the end'));
  const ratio = same.equal / same.of;
  return {
    bench: 'report: figures that equal GROUP BY, before and after a SIGKILL of PostgreSQL',
    yardstick: 'figures compared',
    ours: same.equal,
    theirs: same.of,
    unit: 'figures',
    ratio: { min: ratio, median: ratio, max: ratio },
    bar: 'all of them',
    holds: same.equal === same.of,
    pairs: 1,
  };
}

/** A worker sends what is left. */
function runLanes(bench: ReportBench): Promise<void> {
  return withWorkers(1, bench, async (workers) => {
    for (const worker of workers) await worker.runLanes(bench.campaign, LANES);
  });
}

interface Same {
  readonly equal: number;
  readonly of: number;
}

function both(one: Same, other: Same): Same {
  return { equal: one.equal + other.equal, of: one.of + other.of };
}

async function sameFields(bench: ReportBench, when: string): Promise<Same> {
  const told = await readReport(bench);
  const counted = await countRows(bench.databaseUrl, bench.campaign);
  const names = Object.keys(counted) as (keyof CountedReport)[];
  const different = names.filter((name) => !isDeepStrictEqual(told[name], counted[name]));
  for (const name of different) {
    bench.progress(
      `    ${when}, ${name}: ${JSON.stringify(told[name])}, and in the rows ${JSON.stringify(counted[name])}`,
    );
  }
  bench.progress(
    `    ${when}: ${told.accepted} accepted, ${told.delivered} delivered, ${told.unknown} unknown, ${told.waiting} waiting`,
  );
  return { equal: names.length - different.length, of: names.length };
}

type ToldReport = Omit<CountedReport, 'costMicroUsd'> & { readonly cost: { readonly amountMicro: number } };

/** The report as the API tells it, as soon as it can again. */
async function readReport(bench: ReportBench): Promise<CountedReport> {
  const api = createApiClient(`http://127.0.0.1:${bench.apiPort}`, bench.key);
  const startedAt = performance.now();
  for (;;) {
    try {
      const path = `/v1/campaigns/${bench.campaign.campaignId}`;
      const { report } = await api.get<{ report: ToldReport }>(path);
      return { ...report, costMicroUsd: report.cost.amountMicro };
    } catch (error) {
      if (performance.now() - startedAt > PATIENCE_MS) throw error;
      await delay(200);
    }
  }
}

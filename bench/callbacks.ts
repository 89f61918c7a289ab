import { join } from 'node:path';
import { type Db, openDatabase, openPool } from '../db/database.ts';
import { freePorts } from '../dev/ports.ts';
import { withOwner } from '../dev/with-owner.ts';
import { loadKeys } from '../keys.ts';
import { withBenchPostgres } from './bench-postgres.ts';
import type { BenchOptions } from './bench.ts';
import {
  type CarrierReport,
  hashNumbers,
  type PostedCampaign,
  reportsOf,
  seedPostedCampaign,
} from './callback-data.ts';
import {
  postReports,
  type PostedReports,
  reportTarget,
  type ReportTarget,
  writeReports,
} from './callback-posts.ts';
import { type DispatchAccount, seedDispatchAccount } from './dispatch-data.ts';
import { type BenchRow, boundRow, measurePairs } from './pairs.ts';
import { type Program, startApi, startServer } from './start-server.ts';

const CALLBACKS = 40_000;
/** Of each text: that it is sent, and how it ended. */
const REPORTS_EACH = 2;
const RATIO_MIN = 0.45;
const P99_MS_MAX = 50;
const KILL_AFTER = 0.4;

interface CallbackBench {
  readonly db: Db;
  readonly databaseUrl: string;
  readonly folder: string;
  readonly account: DispatchAccount;
  readonly target: ReportTarget;
  readonly ourPort: number;
  readonly theirPort: number;
  readonly progress: (line: string) => void;
}

/**
 * Measures how fast the API takes the carrier's status callbacks, each verified and durable before its 200, beside
 * Fastify that only parses the same forms; and looks for every 200 in the database after the API was killed in the
 * middle of them. `--rows` is the number of callbacks of a run.
 */
export function benchCallbacks(options: BenchOptions): Promise<BenchRow[]> {
  const texts = Math.ceil((options.rows ?? CALLBACKS) / REPORTS_EACH);
  return withBenchPostgres(async ({ folder, databaseUrl }) => {
    const [ourPort = 0, theirPort = 0] = await freePorts(2);
    const keys = await loadKeys({ home: folder, keys: undefined, hashKey: undefined });
    const db = openDatabase(
      openPool({ connectionString: databaseUrl, connectionsMax: 2, role: 'carillon_app' }),
    );
    try {
      const account = await seedDispatchAccount(db, databaseUrl, texts);
      await hashNumbers(databaseUrl, keys.hashKey);
      const { progress } = options;
      const target = reportTarget(ourPort, keys.signing);
      const bench = { db, databaseUrl, folder, account, target, ourPort, theirPort, progress };
      return [...(await rates(bench)), await afterKill(bench)];
    } finally {
      await db.destroy();
    }
  });
}

async function rates(bench: CallbackBench): Promise<BenchRow[]> {
  const programs: Program[] = [];
  const p99s: number[] = [];
  try {
    programs.push(await startApi(bench.databaseUrl, bench.ourPort, bench.folder));
    programs.push(await startServer(['bench/yardsticks/form-parse.ts', String(bench.theirPort)], {}));
    const ours = async (): Promise<number> => {
      const { rate, p99Ms } = await received(bench);
      p99s.push(p99Ms);
      return rate;
    };
    const theirs = async (): Promise<number> => {
      await prepared(bench);
      return rateOf(await postReports(fileOf(bench), bench.theirPort));
    };
    bench.progress('Callbacks, ours against Fastify that only parses the form');
    await ours();
    await theirs();
    p99s.length = 0;
    const measured = await measurePairs({ ours, theirs }, bench.progress);
    return [
      {
        bench: 'callbacks: durable before the 200',
        yardstick: 'Fastify that only parses the form',
        ...measured,
        unit: 'callbacks/s',
        bar: `ratio ${RATIO_MIN}`,
        holds: measured.ratio.median >= RATIO_MIN,
      },
      boundRow({ bench: 'callbacks: p99', yardstick: `${P99_MS_MAX} ms`, unit: 'ms' }, p99s, P99_MS_MAX),
    ];
  } finally {
    for (const program of programs) await program.stop();
  }
}

/** One run of ours. Throws when what was answered is not what is counted. */
async function received(bench: CallbackBench): Promise<{ rate: number; p99Ms: number }> {
  const { campaign } = await prepared(bench);
  const result = await postReports(fileOf(bench), bench.ourPort);
  await assertCounted(bench, campaign);
  return { rate: rateOf(result), p99Ms: result.p99Ms };
}

/**
 * The API is killed in the middle of its callbacks: each report that had its 200 by then is in the database. Once it
 * runs again the carrier repeats everything, and each report counts once.
 */
async function afterKill(bench: CallbackBench): Promise<BenchRow> {
  bench.progress('Callbacks, and a SIGKILL in the middle of them');
  const { campaign, reports } = await prepared(bench);
  const killed = await startApi(bench.databaseUrl, bench.ourPort, bench.folder);
  const kill = { pid: killed.pid, afterAnswers: Math.ceil(reports.length * KILL_AFTER) };
  const { answered } = await postReports(fileOf(bench), bench.ourPort, kill).finally(
    () => void killed.stop(),
  );
  await killed.stop();
  const known = await storedReports(bench, campaign);
  const isStored = (index: number): boolean => {
    const report = reports[index];
    return report !== undefined && known.has(`${report.uuid} ${report.stage}`);
  };
  const found = answered.filter(isStored).length;
  const again = await startApi(bench.databaseUrl, bench.ourPort, bench.folder);
  try {
    await postReports(fileOf(bench), bench.ourPort);
    await assertCounted(bench, campaign);
  } finally {
    await again.stop();
  }
  const ratio = found / answered.length;
  return {
    bench: 'callbacks: answered by 200 and found after a SIGKILL',
    yardstick: 'answered by 200 until then',
    ours: found,
    theirs: answered.length,
    unit: 'callbacks',
    ratio: { min: ratio, median: ratio, max: ratio },
    bar: 'all of them',
    holds: answered.length > 0 && found === answered.length,
    pairs: 1,
  };
}

/** Makes a campaign that was just sent, and the file with what the carrier is to report of it, signed. */
async function prepared(
  bench: CallbackBench,
): Promise<{ campaign: PostedCampaign; reports: readonly CarrierReport[] }> {
  const campaign = await seedPostedCampaign(bench.db, bench.databaseUrl, bench.account);
  const reports = reportsOf(campaign, bench.target);
  await writeReports(fileOf(bench), reports);
  await withOwner(bench.databaseUrl, (owner) => owner.query('checkpoint'));
  return { campaign, reports };
}

function fileOf(bench: CallbackBench): string {
  return join(bench.folder, 'callbacks.ndjson');
}

function rateOf({ answered, ms }: PostedReports): number {
  return answered.length / (ms / 1_000);
}

/** Each text has both of its reports, and the counters say so. */
async function assertCounted(bench: CallbackBench, campaign: PostedCampaign): Promise<void> {
  const stored = await storedReports(bench, campaign);
  const { rows } = await withOwner(bench.databaseUrl, (owner) =>
    owner.query<{ finals: number; sent: number }>(
      `select coalesce(sum(x.value) filter (where x.counter = 'sent'), 0)::int as sent,
       coalesce(sum(x.value) filter (where x.counter = 'delivered' or x.counter like 'undelivered:%'), 0)::int as finals
     from messages m join (
       select message_key, counter, value from rollups union all select message_key, counter, delta from rollup_deltas
     ) x on x.message_key = m.key where m.id = $1`,
      [campaign.messageId],
    ),
  );
  const texts = campaign.posts.length;
  const { sent = 0, finals = 0 } = rows[0] ?? {};
  if (stored.size !== texts * REPORTS_EACH || sent !== texts || finals !== texts) {
    throw new Error(
      `Of ${texts} texts ${stored.size} reports are kept, and ${sent} and ${finals} are counted.`,
    );
  }
}

/** The reports that stand in the database, as `uuid stage`. */
async function storedReports(bench: CallbackBench, campaign: PostedCampaign): Promise<Set<string>> {
  const { rows } = await withOwner(bench.databaseUrl, (owner) =>
    owner.query<{ report: string }>(
      `select o.carrier_uuid || ' ' || o.stage as report from outcomes o join messages m on m.key = o.message_key
     where m.id = $1 and o.stage in ('sent', 'final')`,
      [campaign.messageId],
    ),
  );
  return new Set(rows.map((row) => row.report));
}

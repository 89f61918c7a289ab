import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultCredentials, localUrl, readConfig } from '../config.ts';
import type { CarrierCredentials } from '../db/carrier-accounts.ts';
import { type Db, openDatabase, openPool } from '../db/database.ts';
import { freePorts } from '../dev/ports.ts';
import { loadKeys, type Keys } from '../keys.ts';
import { asOwner, withBenchPostgres } from './bench-postgres.ts';
import type { BenchOptions } from './bench.ts';
import {
  type CarrierReport,
  hashNumbers,
  type PostedCampaign,
  reportsOf,
  seedPostedCampaign,
} from './callback-data.ts';
import { type DispatchAccount, seedDispatchAccount } from './dispatch-data.ts';
import { type BenchRow, boundRow, measurePairs } from './pairs.ts';
import { numberIn, runProgram } from './run-program.ts';
import { type Program, startApi, startServer } from './start-server.ts';

const CALLBACKS = 40_000;
/** Of each text: that it is sent, and how it ended. */
const REPORTS_EACH = 2;
const CONNECTIONS = 64;
const RATIO_MIN = 0.45;
const P99_MS_MAX = 50;
const KILL_AFTER = 0.4;

interface CallbackBench {
  readonly db: Db;
  readonly databaseUrl: string;
  readonly folder: string;
  readonly account: DispatchAccount;
  readonly credentials: CarrierCredentials;
  readonly keys: Keys;
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
    const credentials = defaultCredentials(readConfig({}));
    if (credentials === null) throw new Error('The sandbox has no credentials.');
    const keys = await loadKeys({ home: folder, keys: undefined, hashKey: undefined });
    const db = openDatabase(
      openPool({ connectionString: databaseUrl, connectionsMax: 2, role: 'carillon_app' }),
    );
    try {
      const account = await seedDispatchAccount(db, databaseUrl, texts);
      await hashNumbers(databaseUrl, keys.hashKey);
      const { progress } = options;
      const bench = { db, databaseUrl, folder, account, credentials, keys, ourPort, theirPort, progress };
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
      return rateOf(await post(bench, bench.theirPort));
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
  const result = await post(bench, bench.ourPort);
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
  const { answered } = await post(bench, bench.ourPort, kill);
  await killed.stop();
  const known = await storedReports(bench, campaign);
  const isStored = (index: number): boolean => {
    const report = reports[index];
    return report !== undefined && known.has(`${report.uuid} ${report.stage}`);
  };
  const found = answered.filter(isStored).length;
  const again = await startApi(bench.databaseUrl, bench.ourPort, bench.folder);
  try {
    await post(bench, bench.ourPort);
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
  const reports = reportsOf(campaign, {
    publicUrl: localUrl('127.0.0.1', bench.ourPort),
    signingKey: bench.keys.signing,
    credentials: bench.credentials,
  });
  const lines = reports.map(({ request }) => JSON.stringify(request));
  await writeFile(fileOf(bench), lines.join('\n'));
  await asOwner(bench.databaseUrl, (owner) => owner.query('checkpoint'));
  return { campaign, reports };
}

function fileOf(bench: CallbackBench): string {
  return join(bench.folder, 'callbacks.ndjson');
}

interface Posted {
  readonly ms: number;
  readonly p99Ms: number;
  readonly answered: readonly number[];
}

/** Posts all of them. Throws when one was answered otherwise or, unless the server is killed, not at all. */
async function post(
  bench: CallbackBench,
  port: number,
  kill?: { readonly pid: number; readonly afterAnswers: number },
): Promise<Posted> {
  const given = {
    file: fileOf(bench),
    port,
    connections: CONNECTIONS,
    ...(kill === undefined ? {} : { kill }),
  };
  const answer = await runProgram('callback-load.ts', [JSON.stringify(given)]);
  // The program printed them in this shape.
  const answered = answer['answered'] as number[];
  const others = numberIn(answer, 'others');
  const lost = kill === undefined ? numberIn(answer, 'requests') - others - answered.length : 0;
  if (others > 0 || lost > 0) throw new Error(`${others} were answered otherwise and ${lost} not at all.`);
  return { ms: numberIn(answer, 'ms'), p99Ms: numberIn(answer, 'p99Ms'), answered };
}

function rateOf({ answered, ms }: Posted): number {
  return answered.length / (ms / 1_000);
}

/** Each text has both of its reports, and the counters say so. */
async function assertCounted(bench: CallbackBench, campaign: PostedCampaign): Promise<void> {
  const stored = await storedReports(bench, campaign);
  const { rows } = await asOwner(bench.databaseUrl, (owner) =>
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
  const { rows } = await asOwner(bench.databaseUrl, (owner) =>
    owner.query<{ report: string }>(
      `select o.carrier_uuid || ' ' || o.stage as report from outcomes o join messages m on m.key = o.message_key
     where m.id = $1 and o.stage in ('sent', 'final')`,
      [campaign.messageId],
    ),
  );
  return new Set(rows.map((row) => row.report));
}

import { Client } from 'pg';
import { type Db, openDatabase, openPool } from '../db/database.ts';
import { freePorts } from '../dev/ports.ts';
import { withBenchPostgres } from './bench-postgres.ts';
import type { BenchOptions } from './bench.ts';
import {
  countAccepted,
  type DispatchAccount,
  seedDispatchAccount,
  seedDispatchCampaign,
} from './dispatch-data.ts';
import { type BenchRow, measurePairs } from './pairs.ts';
import { numberIn, runProgram } from './run-program.ts';
import { startServer } from './start-server.ts';

const RECIPIENTS = 50_000;
/** Of a worker towards a carrier; as many of each yardstick. */
const REQUESTS_AT_ONCE = 256;
const CALLBACK_URL = 'https://example.com/callbacks/plivo/acc_00000000000000000000000000/k1/202601-1-1/mac';
const TEXT = 'Hi {{firstName}}, our summer sale begins today.';

/**
 * Measures how fast people are texted, each with a text of his own, at a sink that takes everything: the carrier's
 * client beside bare undici, and the full path (lease, post, outcome durable) beside that client in a plain loop
 * and beside a queue of PostgreSQL with a job a recipient.
 */
export function benchDispatch(options: BenchOptions): Promise<BenchRow[]> {
  const recipients = options.rows ?? RECIPIENTS;
  return withBenchPostgres(async ({ databaseUrl }) => {
    const [sinkPort = 0] = await freePorts(1);
    const sink = await startServer(['bench/yardsticks/sink.ts', String(sinkPort)], {});
    try {
      const db = openDatabase(
        openPool({ connectionString: databaseUrl, connectionsMax: 2, role: 'carillon_app' }),
      );
      try {
        options.progress(`Making ${recipients} contacts`);
        const account = await seedDispatchAccount(db, databaseUrl, recipients);
        const sinkUrl = `http://127.0.0.1:${sinkPort}`;
        const bench = { db, databaseUrl, sinkUrl, account, recipients, ...options };
        return [
          await carrierClient(bench),
          await fullPath(bench, 'our carrier client in a plain loop', 0.6, () => loopOf(bench)),
          await fullPath(bench, 'graphile-worker, a job a recipient', 1.5, () => jobsOf(bench, 'plain')),
          await fullPath(bench, 'graphile-worker in batches that a crash repeats', null, () =>
            jobsOf(bench, 'batched'),
          ),
        ];
      } finally {
        await db.destroy();
      }
    } finally {
      await sink.stop();
    }
  });
}

interface DispatchBench {
  readonly db: Db;
  readonly databaseUrl: string;
  readonly sinkUrl: string;
  readonly account: DispatchAccount;
  readonly recipients: number;
  readonly progress: (line: string) => void;
}

async function carrierClient(bench: DispatchBench): Promise<BenchRow> {
  bench.progress(`${bench.recipients} posts of the carrier's client against bare undici`);
  const args = [bench.sinkUrl, String(bench.recipients), String(REQUESTS_AT_ONCE), CALLBACK_URL];
  const measured = await measurePairs(
    {
      ours: () => loopOf(bench),
      theirs: () => texted(bench, () => runProgram('yardsticks/undici-posts.ts', args)),
    },
    bench.progress,
  );
  return row("dispatch: the carrier's client", 'bare undici', measured, 0.5);
}

async function fullPath(
  bench: DispatchBench,
  yardstick: string,
  bar: number | null,
  theirs: () => Promise<number>,
): Promise<BenchRow> {
  bench.progress(`${bench.recipients} recipients, the full path against ${yardstick}`);
  const measured = await measurePairs({ ours: () => sendOnce(bench), theirs }, bench.progress);
  return row('dispatch: full path', yardstick, measured, bar);
}

function row(
  bench: string,
  yardstick: string,
  measured: Awaited<ReturnType<typeof measurePairs>>,
  bar: number | null,
): BenchRow {
  return {
    bench,
    yardstick,
    ...measured,
    unit: 'texts/s',
    bar: bar === null ? null : `ratio ${bar}`,
    holds: bar === null || measured.ratio.median >= bar,
  };
}

/** Resolves with the recipients a second. A post whose answer was not understood does not count as one. */
async function sendOnce(bench: DispatchBench): Promise<number> {
  const campaign = await seedDispatchCampaign(bench.db, bench.account, TEXT);
  const { databaseUrl, sinkUrl: apiUrl } = bench;
  const order = { databaseUrl, apiUrl, requestsAtOnce: REQUESTS_AT_ONCE, campaign };
  const rate = await texted(bench, () => runProgram('dispatch-run.ts', [JSON.stringify(order)]));
  const accepted = await countAccepted(bench.db, campaign);
  if (accepted !== bench.recipients) throw new Error(`${accepted} of ${bench.recipients} are accepted.`);
  return rate;
}

function loopOf(bench: DispatchBench): Promise<number> {
  const args = [bench.sinkUrl, String(bench.recipients), String(REQUESTS_AT_ONCE), CALLBACK_URL];
  return texted(bench, () => runProgram('carrier-posts.ts', args));
}

async function jobsOf(bench: DispatchBench, way: 'plain' | 'batched'): Promise<number> {
  const args = [bench.databaseUrl, bench.sinkUrl, String(bench.recipients), String(REQUESTS_AT_ONCE), way];
  await runProgram('yardsticks/graphile-seed.ts', [bench.databaseUrl, String(bench.recipients)]);
  return texted(bench, () => runProgram('yardsticks/graphile-jobs.ts', args));
}

/** What a run's own clock says, once the sink has counted everybody exactly once more. */
async function texted(bench: DispatchBench, run: () => Promise<Record<string, unknown>>): Promise<number> {
  const owner = new Client({ connectionString: bench.databaseUrl });
  await owner.connect();
  await owner.query('checkpoint');
  await owner.end();
  const before = await textsAt(bench.sinkUrl);
  const ms = numberIn(await run(), 'ms');
  const count = (await textsAt(bench.sinkUrl)) - before;
  if (count !== bench.recipients)
    throw new Error(`${count} texts went out to ${bench.recipients} recipients.`);
  return bench.recipients / (ms / 1_000);
}

async function textsAt(sinkUrl: string): Promise<number> {
  const response = await fetch(sinkUrl);
  return numberIn((await response.json()) as Record<string, unknown>, 'texts');
}

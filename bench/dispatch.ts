import { UNLIMITED_AT_ONCE_MAX } from '../domain/dispatch/slots.ts';
import type { BenchOptions } from './bench.ts';
import { type DispatchAccount, seedDispatchAccount } from './dispatch-data.ts';
import { countedAtSink, type DispatchPlace, withDispatchPlace } from './dispatch-place.ts';
import { type BenchRow, measurePairs } from './pairs.ts';
import { numberIn, runProgram } from './run-program.ts';
import { sendCampaign } from './send-campaign.ts';
import { withWorkers } from './start-worker.ts';
import { PERSONAL_TEXT } from './texts.ts';

const RECIPIENTS = 50_000;
const CALLBACK_URL = 'https://example.com/callbacks/plivo/acc_00000000000000000000000000/k1/202601-1-1/mac';

/**
 * Measures how fast people are texted, each with a text of his own, at a sink that takes everything: the carrier's
 * client beside bare undici, and the full path (lease, post, outcome durable) beside that client in a plain loop
 * and beside a queue of PostgreSQL with a job a recipient.
 */
export function benchDispatch(options: BenchOptions): Promise<BenchRow[]> {
  const recipients = options.rows ?? RECIPIENTS;
  return withDispatchPlace(async (place) => {
    options.progress(`Making ${recipients} contacts`);
    const account = await seedDispatchAccount(place.db, place.databaseUrl, recipients);
    const bench = { ...place, account, recipients, progress: options.progress };
    return [
      await carrierClient(bench),
      await fullPath(bench, 'our carrier client in a plain loop', 0.6, () => loopOf(bench)),
      await fullPath(bench, 'graphile-worker, a job a recipient', 1.5, () => jobsOf(bench, 'plain')),
      await fullPath(bench, 'graphile-worker in batches that a crash repeats', null, () =>
        jobsOf(bench, 'batched'),
      ),
    ];
  });
}

interface DispatchBench extends DispatchPlace {
  readonly account: DispatchAccount;
  readonly recipients: number;
  readonly progress: (line: string) => void;
}

async function carrierClient(bench: DispatchBench): Promise<BenchRow> {
  bench.progress(`${bench.recipients} posts of the carrier's client against bare undici`);
  const args = [bench.sinkUrl, String(bench.recipients), String(UNLIMITED_AT_ONCE_MAX), CALLBACK_URL];
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
function sendOnce(bench: DispatchBench): Promise<number> {
  return withWorkers(1, bench, async (workers) => {
    const { ms } = await sendCampaign(bench, workers, bench.account, PERSONAL_TEXT);
    return bench.recipients / (ms / 1_000);
  });
}

function loopOf(bench: DispatchBench): Promise<number> {
  const args = [bench.sinkUrl, String(bench.recipients), String(UNLIMITED_AT_ONCE_MAX), CALLBACK_URL];
  return texted(bench, () => runProgram('carrier-posts.ts', args));
}

async function jobsOf(bench: DispatchBench, way: 'plain' | 'batched'): Promise<number> {
  const args = [
    bench.databaseUrl,
    bench.sinkUrl,
    String(bench.recipients),
    String(UNLIMITED_AT_ONCE_MAX),
    way,
  ];
  await runProgram('yardsticks/graphile-seed.ts', [bench.databaseUrl, String(bench.recipients)]);
  return texted(bench, () => runProgram('yardsticks/graphile-jobs.ts', args));
}

/** What a run's own clock says, once the sink has counted everybody exactly once more. */
async function texted(bench: DispatchBench, run: () => Promise<Record<string, unknown>>): Promise<number> {
  const { result } = await countedAtSink(bench, bench.recipients, run);
  return bench.recipients / (numberIn(result, 'ms') / 1_000);
}

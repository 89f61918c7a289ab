import type { BenchOptions } from './bench.ts';
import type { DispatchAccount } from './dispatch-data.ts';
import { type DispatchPlace, withDispatchPlace } from './dispatch-place.ts';
import { type BenchRow, measurePairs } from './pairs.ts';
import { memoryMbOf, peakMemoryMb } from './process-memory.ts';
import { sendRepeatedly } from './send-campaign.ts';
import { seedSizedAccounts } from './sized-accounts.ts';
import { withWorkers } from './start-worker.ts';
import { BULK_TEXT } from './texts.ts';

const MANY = 10_000_000;
const RATIO_MAX = 1.2;
const LOOK_EVERY_MS = 50;
/**
 * Small campaigns are sent one after another until they make this share of the large one: memory goes up and down with
 * the collector, and one of them alone is over long before its peak.
 */
const FEW_TOGETHER_SHARE = 0.2;

/** Measures how much more memory a worker takes for a campaign of millions, in bulk form, than for a small one. */
export function benchMemory(options: BenchOptions): Promise<BenchRow[]> {
  return withDispatchPlace(async (place) => {
    const bench = { ...place, progress: options.progress };
    options.progress('Making the contacts');
    const accounts = await seedSizedAccounts(bench, options.rows ?? MANY);
    const { few, many } = accounts;
    options.progress(
      `Peak memory of a worker over idle, in MB, ${many.contacts} recipients beside ${few.contacts}`,
    );
    const excessOf = (account: DispatchAccount) =>
      excessMb(bench, account, many.contacts * FEW_TOGETHER_SHARE);
    const measured = await measurePairs(
      { ours: () => excessOf(many), theirs: () => excessOf(few) },
      bench.progress,
    );
    return [
      {
        bench: `memory: peak over idle at ${many.contacts} recipients in bulk form`,
        yardstick: `at ${few.contacts}, again and again`,
        ...measured,
        unit: 'MB',
        bar: `at most ${RATIO_MAX} times`,
        holds: measured.ratio.median <= RATIO_MAX,
      },
    ];
  });
}

/** By how many MB the peak of a worker that sends is over what it takes when it has nothing to do. */
function excessMb(
  bench: DispatchPlace & { readonly progress: (line: string) => void },
  account: DispatchAccount,
  togetherMin: number,
): Promise<number> {
  return withWorkers(1, bench, async (workers) => {
    const [worker] = workers;
    if (worker === undefined) throw new Error('There is no worker.');
    await worker.collectGarbage();
    const idleMb = await memoryMbOf(worker.pid);
    const peakMb = await peakMemoryMb(worker.pid, LOOK_EVERY_MS, async () => {
      await sendRepeatedly(bench, workers, account, BULK_TEXT, (sent) => sent.recipients >= togetherMin);
    });
    bench.progress(
      `  ${account.contacts} recipients: idle ${Math.round(idleMb)}, peak ${Math.round(peakMb)} MB`,
    );
    return peakMb - idleMb;
  });
}

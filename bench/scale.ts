import type { BenchOptions } from './bench.ts';
import type { DispatchAccount } from './dispatch-data.ts';
import { asOwner, type DispatchPlace, withDispatchPlace } from './dispatch-place.ts';
import { type BenchRow, measurePairs } from './pairs.ts';
import { sendCampaign, sendRepeatedly } from './send-campaign.ts';
import { seedSizedAccounts } from './sized-accounts.ts';
import { withWorkers } from './start-worker.ts';
import { BULK_TEXT, PERSONAL_TEXT } from './texts.ts';

const BULK_MANY = 10_000_000;
/** Who is texted by himself takes about ten times as long. */
const PERSONAL_SHARE = 0.1;
/** Small campaigns are sent one after another for at least so long, as one alone would be over too soon to tell. */
const SENDING_MS_MIN = 15_000;
const RATIO_MIN = 0.85;

/** Measures whether people are texted as fast in a campaign of millions as in one of a hundred thousand. */
export function benchScale(options: BenchOptions): Promise<BenchRow[]> {
  const many = options.rows ?? BULK_MANY;
  return withDispatchPlace(async (place) => {
    const { progress } = options;
    const bench = { ...place, progress };
    return [
      await manyBesideFew(bench, 'in bulk form', BULK_TEXT, many),
      await manyBesideFew(bench, 'personalised', PERSONAL_TEXT, Math.ceil(many * PERSONAL_SHARE)),
    ];
  });
}

interface ScaleBench extends DispatchPlace {
  readonly progress: (line: string) => void;
}

async function manyBesideFew(bench: ScaleBench, how: string, text: string, size: number): Promise<BenchRow> {
  bench.progress(`Making ${size} contacts`);
  const accounts = await seedSizedAccounts(bench, size);
  const { few, many } = accounts;
  bench.progress(`${many.contacts} recipients of one campaign ${how} beside ${few.contacts}`);
  const rateOf = (account: DispatchAccount) => sendingRate(bench, accounts.warmUp, account, text);
  const measured = await measurePairs(
    { ours: () => rateOf(many), theirs: () => rateOf(few) },
    bench.progress,
  );
  return {
    bench: `scale: ${many.contacts} recipients ${how}`,
    yardstick: `${few.contacts} recipients`,
    ...measured,
    unit: 'recipients/s',
    bar: `ratio ${RATIO_MIN}`,
    holds: measured.ratio.median >= RATIO_MIN,
  };
}

/** Recipients a second of a worker that was started for it. */
async function sendingRate(
  bench: ScaleBench,
  warmUp: DispatchAccount,
  account: DispatchAccount,
  text: string,
): Promise<number> {
  // The database knows all earlier campaigns and nothing of those that are frozen next, which is the worst.
  await asOwner(bench.databaseUrl, 'vacuum analyze');
  return withWorkers(1, bench, async (workers) => {
    await sendCampaign(bench, workers, warmUp, text);
    const { recipients, ms } = await sendRepeatedly(
      bench,
      workers,
      account,
      text,
      (sent) => sent.ms >= SENDING_MS_MIN,
    );
    return recipients / (ms / 1_000);
  });
}

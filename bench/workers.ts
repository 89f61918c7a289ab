import type { BenchOptions } from './bench.ts';
import { seedDispatchAccount } from './dispatch-data.ts';
import { withDispatchPlace } from './dispatch-place.ts';
import { type BenchRow, measurePairs } from './pairs.ts';
import { sendCampaign } from './send-campaign.ts';
import { withWorkers } from './start-worker.ts';
import { PERSONAL_TEXT } from './texts.ts';

const RECIPIENTS = 50_000;

/** Measures whether two worker processes that share a message's lanes stand in each other's way, beside one. */
export function benchWorkers(options: BenchOptions): Promise<BenchRow[]> {
  const recipients = options.rows ?? RECIPIENTS;
  return withDispatchPlace(async (place) => {
    options.progress(`Making ${recipients} contacts`);
    const account = await seedDispatchAccount(place.db, place.databaseUrl, recipients);
    const rateOf = (count: number) =>
      withWorkers(count, place, async (workers) => {
        const { ms } = await sendCampaign(place, workers, account, PERSONAL_TEXT);
        return recipients / (ms / 1_000);
      });
    options.progress(`${recipients} recipients by two workers beside one`);
    const measured = await measurePairs({ ours: () => rateOf(2), theirs: () => rateOf(1) }, options.progress);
    return [
      {
        bench: 'workers: two',
        yardstick: 'one',
        ...measured,
        unit: 'texts/s',
        bar: null,
        holds: true,
      },
    ];
  });
}

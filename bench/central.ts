import { centralEventsMax, eventsMax } from '../workflows/events-max.ts';
import type { BenchOptions } from './bench.ts';
import { withBenchPostgres } from './bench-postgres.ts';
import { type CentralAccounts, CONTACTS, seedCentralAccounts } from './central-data.ts';
import { type CentralEvents, countCentralEvents } from './central-events.ts';
import { type CentralPlace, inCentralPlace } from './central-place.ts';
import { type CentralTimes, sendCentrally, sendSeparately } from './central-sides.ts';
import { type BenchRow, boundRow, measurePairs } from './pairs.ts';

const ACCOUNTS = 5_000;
const RATIO_MAX = 1.3;
/** Of the central campaign and its slices, for each account. */
const EVENTS_EACH_MAX = 10;
const REVIEW_MS_MAX = 15_000;
const MINUTE_MS = 60_000;
/** With more accounts one pair takes as long as seven of these. */
const REPEATED_ACCOUNTS_MAX = 1_000;
const PAIRS = 7;

interface CentralBench {
  /** The database with the accounts, of which each side has a copy. */
  readonly seededUrl: string;
  readonly accounts: CentralAccounts;
  readonly progress: (line: string) => void;
}

type OurRun = CentralTimes & CentralEvents;

/**
 * Measures how long a central campaign takes, from its launch until everybody has been texted, beside the slower of one
 * campaign to as many people and a campaign of each account without a parent; and how many events its runs hold.
 */
export function benchCentral(options: BenchOptions): Promise<BenchRow[]> {
  const { accounts: count = ACCOUNTS, progress } = options;
  return withBenchPostgres(async ({ databaseUrl: seededUrl }) => {
    progress(`Making ${count} sub-accounts with ${CONTACTS} contacts each`);
    const accounts = await seedCentralAccounts(seededUrl, count);
    const bench = { seededUrl, accounts, progress };
    progress('A central campaign against the slower of one campaign and as many without a parent');
    const runs: OurRun[] = [];
    const measured = await measurePairs(
      {
        ours: async () => {
          const run = await ours(bench);
          runs.push(run);
          return run.sendingMs;
        },
        theirs: () => slowerOfTheirs(bench),
      },
      progress,
      { pairsMax: count > REPEATED_ACCOUNTS_MAX ? 1 : PAIRS, budgetMs: Infinity },
    );
    return [
      {
        bench: `central: ${count} accounts with ${CONTACTS} contacts each`,
        yardstick: `the slower of one campaign to ${count * CONTACTS} and ${count} without a parent`,
        ...measured,
        unit: 'ms',
        bar: `at most ${RATIO_MAX} times`,
        holds: measured.ratio.median <= RATIO_MAX,
      },
      ...eventRows(runs, count),
      shownRow('review', runs, ({ reviewMs }) => reviewMs),
      shownRow('launch', runs, ({ launchMs }) => launchMs),
    ];
  });
}

function ours(bench: CentralBench): Promise<OurRun> {
  return warmly(bench, async (place) => {
    const { sent, ...times } = await sendCentrally(place, bench.accounts);
    const { reviewMs, launchMs, sendingMs } = times;
    bench.progress(
      `    reviewed in ${rounded(reviewMs)}, launched in ${rounded(launchMs)}, sent in ${rounded(sendingMs)} ms`,
    );
    const events = await countCentralEvents(place, sent);
    const { central, slices, partMax, unfound } = events;
    bench.progress(
      `    ${central.events} events in ${central.runs} runs of the campaign and ${slices} slices, ${partMax} of a part at most`,
    );
    if (unfound > 0) bench.progress(`    ${unfound} parts were started by repair and not by their slice`);
    return { ...times, ...events };
  });
}

async function slowerOfTheirs(bench: CentralBench): Promise<number> {
  const { whole, subAccounts } = bench.accounts;
  const oneMs = await warmly(bench, (place) => sendSeparately(place, [whole]));
  const manyMs = await warmly(bench, (place) => sendSeparately(place, subAccounts));
  bench.progress(`    one campaign in ${rounded(oneMs)}, ${subAccounts.length} in ${rounded(manyMs)} ms`);
  return Math.max(oneMs, manyMs);
}

/** In a place whose worker has sent something before. */
function warmly<Result>(
  { seededUrl, accounts }: CentralBench,
  work: (place: CentralPlace) => Promise<Result>,
): Promise<Result> {
  return inCentralPlace(seededUrl, async (place) => {
    await sendSeparately(place, [accounts.warmUp]);
    return work(place);
  });
}

function eventRows(runs: readonly OurRun[], accounts: number): BenchRow[] {
  const of = { bench: 'central: events of its run and its slices', unit: 'events' };
  const slices = Math.max(...runs.map((run) => run.slices));
  const minutes = Math.ceil(Math.max(...runs.map((run) => run.sendingMs)) / MINUTE_MS);
  const each = runs.map(({ central }) => central.events / accounts);
  const all = runs.map(({ central }) => central.events);
  return [
    boundRow({ ...of, bench: `${of.bench}, for each account`, yardstick: 'ten' }, each, EVENTS_EACH_MAX),
    boundRow(
      { ...of, yardstick: 'the most that there may be' },
      all,
      centralEventsMax({ accounts, slices, actions: 1, daysAsleep: 0, minutesOfNews: minutes }),
    ),
    boundRow(
      { bench: 'central: events of a part', yardstick: 'the most that there may be', unit: 'events' },
      runs.map(({ partMax }) => partMax),
      eventsMax({
        messages: 1,
        windowOpenings: 0,
        daysAsleep: 0,
        actions: 1,
        recipients: CONTACTS,
        laneTenMinutes: 0,
      }),
    ),
  ];
}

function shownRow(what: string, runs: readonly OurRun[], msOf: (run: OurRun) => number): BenchRow {
  const of = { bench: `central: ${what}`, yardstick: 'fifteen seconds', unit: 'ms' };
  return { ...boundRow(of, runs.map(msOf), REVIEW_MS_MAX), bar: null, holds: true };
}

function rounded(ms: number): string {
  return Math.round(ms).toLocaleString('en');
}

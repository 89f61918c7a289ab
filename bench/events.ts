import { setTimeout as delay } from 'node:timers/promises';
import { openDatabase, openPool } from '../db/database.ts';
import { freePorts } from '../dev/ports.ts';
import { withBenchPostgres } from './bench-postgres.ts';
import type { BenchOptions } from './bench.ts';
import { makeEventLoad, type SendingCampaign } from './event-load.ts';
import { type BenchRow, boundRow } from './pairs.ts';
import { memoryMbOf } from './process-memory.ts';
import { numberIn, runProgram } from './run-program.ts';
import { startApi } from './start-server.ts';

const CAMPAIGNS = 50;
const READERS_EACH = 20;
const DELAY_MS_MAX = 1_000;
const RUN_S = 180;
/** Readers open and memory settles before anything counts. */
const WARM_UP_MS = 30_000;
const MEMORY_EVERY_MS = 2_000;
const MEMORY_GROWTH_MAX = 1.1;

/**
 * A thousand readers of live events on one API process, twenty a campaign, while fifty campaigns write what lanes,
 * steps and people write: how late each event and each step of progress is for the reader who hears of it last, and
 * whether the process's memory stays flat. `--rows` is the duration in seconds.
 */
export function benchEvents(options: BenchOptions): Promise<BenchRow[]> {
  const durationMs = (options.rows ?? RUN_S) * 1_000;
  return withBenchPostgres(async ({ folder, databaseUrl }) => {
    const [apiPort = 0] = await freePorts(1);
    const db = openDatabase(
      openPool({ connectionString: databaseUrl, connectionsMax: 20, role: 'carillon_app' }),
    );
    const load = await makeEventLoad(db, CAMPAIGNS);
    const api = await startApi(databaseUrl, apiPort, folder);
    try {
      const startedAt = Date.now();
      const untilMs = startedAt + WARM_UP_MS + durationMs;
      options.progress(`${CAMPAIGNS * READERS_EACH} readers for ${durationMs / 1_000} s`);
      const readers = runProgram('event-readers.ts', [
        JSON.stringify({
          url: `http://127.0.0.1:${apiPort}`,
          key: load.key,
          campaignIds: load.campaigns.map((campaign) => campaign.id),
          readersEach: READERS_EACH,
          untilMs: untilMs + 2 * DELAY_MS_MAX,
        }),
      ]);
      const memory = watchMemory(api.pid, untilMs);
      await delay(WARM_UP_MS / 2);
      await load.run(untilMs);
      const seen = await readers;
      return [
        eventRow(seen),
        progressRow(seen, load.campaigns, options.progress),
        memoryRow(await memory, startedAt + WARM_UP_MS),
      ];
    } finally {
      await api.stop();
      await db.destroy();
    }
  });
}

function eventRow(seen: Record<string, unknown>): BenchRow {
  if (numberIn(seen, 'cutOff') > 0) throw new Error(`${numberIn(seen, 'cutOff')} readers were cut off.`);
  return delayRow('status and log', numberIn(seen, 'eventDelayMsMax'), numberIn(seen, 'events'));
}

/** A count of accepted texts is told by the first progress that says as much or more. */
function progressRow(
  seen: Record<string, unknown>,
  campaigns: readonly SendingCampaign[],
  progress: (line: string) => void,
): BenchRow {
  // The program printed them in this shape.
  const states = new Map(seen['states'] as [string, [number, number, number][]][]);
  // What was committed while readers were still being opened reached some of them as the state that they began with.
  const fromMs = numberIn(seen, 'openedAt') + DELAY_MS_MAX;
  let delayMsMax = 0;
  let told = 0;
  for (const campaign of campaigns) {
    const heard = (states.get(campaign.id) ?? []).toSorted(([one], [other]) => one - other);
    for (const [accepted, committedAt] of campaign.accepted) {
      if (committedAt < fromMs) continue;
      const state = heard.find(([count]) => count >= accepted);
      if (state === undefined) throw new Error(`${campaign.id}: ${accepted} was never told.`);
      told += 1;
      delayMsMax = Math.max(delayMsMax, state[1] - committedAt);
    }
  }
  progress(
    `${numberIn(seen, 'heard')} events heard; median delay ${numberIn(seen, 'eventDelayMsMedian')} ms`,
  );
  return delayRow('progress', delayMsMax, told);
}

function delayRow(what: string, delayMsMax: number, count: number): BenchRow {
  const of = { bench: `events: the latest of ${count} of ${what}`, yardstick: 'one second', unit: 'ms' };
  return boundRow(of, [delayMsMax], DELAY_MS_MAX);
}

/** The process's memory, in MB, with when it was read. */
async function watchMemory(pid: number, untilMs: number): Promise<[number, number][]> {
  const seen: [number, number][] = [];
  while (Date.now() < untilMs) {
    await delay(MEMORY_EVERY_MS);
    seen.push([Date.now(), await memoryMbOf(pid)]);
  }
  return seen;
}

/** The last third beside the first, after warming up: medians, since the collector comes when it wants. */
function memoryRow(seen: readonly [number, number][], fromMs: number): BenchRow {
  const sizes = seen.filter(([at]) => at >= fromMs).map(([, megabytes]) => megabytes);
  const third = Math.max(1, Math.floor(sizes.length / 3));
  const first = median(sizes.slice(0, third));
  const last = median(sizes.slice(-third));
  const ratio = last / first;
  return {
    bench: 'events: memory in the last third',
    yardstick: 'memory in the first third',
    ours: last,
    theirs: first,
    unit: 'MB',
    ratio: { min: ratio, median: ratio, max: ratio },
    bar: `ratio ${MEMORY_GROWTH_MAX} at most`,
    holds: ratio <= MEMORY_GROWTH_MAX,
    pairs: 1,
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

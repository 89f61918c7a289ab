import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { eachAtOnce } from '../engine/each-at-once.ts';
import { createWorkflowClient } from '../engine/workflow-client.ts';
import { freePorts } from '../dev/ports.ts';
import { findTemporalCli } from '../dev/temporal-binaries.ts';
import { startTemporalServer } from '../dev/temporal-server.ts';
import { inThrowawayHome } from '../dev/throwaway-home.ts';
import { withBenchPostgres } from './bench-postgres.ts';
import type { BenchOptions } from './bench.ts';
import { type BenchRow, measureFigures } from './pairs.ts';
import { countAsleep, countSentOnce, seedSleepers, type Sleepers } from './sleepers-data.ts';
import { type Program, startServer } from './start-server.ts';

const CAMPAIGNS = 10_000;
const RATIO_MAX = 2;
const NAME = 'Campaign';
/** Until they are due they have to be started and, ours, made and prepared. An audience that is frozen late is late. */
const LEAD_MS = 10_000;
const LEAD_SHARE = 2;
/** The bare ones are started beside what their first tasks take of the same two cores. */
const BARE_START_MS_EACH = 60;
const WARM_UP = 100;
/** An audience is frozen a quarter of an hour before. */
const WARM_UP_MS = 14 * 60_000;
const STARTS_AT_ONCE = 50;
const POLL_MS = 500;
const PATIENCE_MS = 45 * 60_000;
/** A text that came twice would come within this time. */
const AFTERMATH_MS = 5_000;
const FIGURES = ['p50', 'p99'] as const;

type Lateness = Readonly<Record<(typeof FIGURES)[number], number>>;

interface SleeperBench {
  readonly campaigns: number;
  readonly progress: (line: string) => void;
}

/** Where sleepers sleep: Temporal in memory, and a carrier that notes when each text comes. */
interface Bedroom {
  readonly temporalAddress: string;
  readonly sinkUrl: string;
}

/**
 * Measures how late sleeping campaigns send that are all due at the same instant: from then until the first text of
 * each arrives at the carrier, beside as many bare workflows with a timer, a child and five activities, the first of
 * which posts. One worker process each, with the same settings. Every campaign sends once, or it throws.
 */
export async function benchSleepers(options: BenchOptions): Promise<BenchRow[]> {
  const bench = { campaigns: options.rows ?? CAMPAIGNS, progress: options.progress };
  options.progress(`${bench.campaigns} sleepers due at once, ours against bare workflows`);
  const measured = await measureFigures(
    FIGURES,
    { ours: () => oursWake(bench), theirs: () => theirsWake(bench) },
    options.progress,
  );
  return FIGURES.map((name) => ({
    bench: `sleepers: ${name} of the lateness of ${bench.campaigns}`,
    yardstick: 'a timer, a child and five activities',
    ...measured[name],
    unit: 'ms',
    bar: `at most ${RATIO_MAX} times`,
    holds: measured[name].ratio.median <= RATIO_MAX,
  }));
}

function oursWake({ campaigns, progress }: SleeperBench): Promise<Lateness> {
  return withBenchPostgres(({ folder, databaseUrl }) =>
    inBedroom(async ({ temporalAddress, sinkUrl }) => {
      const worker = await startServer(['worker.ts'], {
        DATABASE_URL: databaseUrl,
        TEMPORAL_ADDRESS: temporalAddress,
        PLIVO_API_URL: sinkUrl,
        CARILLON_HOME: folder,
      });
      const connection = await Connection.connect({ address: temporalAddress }).catch(endingFirst(worker));
      try {
        const workflows = createWorkflowClient(new Client({ connection }), 'real');
        const layDown = async (sleepers: Sleepers): Promise<void> => {
          const made = await seedSleepers(databaseUrl, sleepers);
          await eachAtOnce(made, STARTS_AT_ONCE, ({ accountId, campaignId }) =>
            workflows.ensureCampaign(accountId, campaignId),
          );
          while ((await countAsleep(databaseUrl, sleepers)) < sleepers.count) {
            if (Date.now() > sleepers.dueAt)
              throw new Error('They were due before all of them were prepared.');
            await delay(POLL_MS);
          }
        };
        // They tell how long it takes until one is asleep, and wake when the others have been measured, or never.
        const startedAt = Date.now();
        await layDown({ count: WARM_UP, dueAt: secondAfter(startedAt + WARM_UP_MS), name: 'Warm-up' });
        const leadMs = LEAD_MS + ((Date.now() - startedAt) / WARM_UP) * campaigns * LEAD_SHARE;
        progress(`    they are due in ${Math.round(leadMs / 1_000)} s`);
        const sleepers = { count: campaigns, dueAt: secondAfter(Date.now() + leadMs), name: NAME };
        await layDown(sleepers);
        const lateness = await arrivals(sinkUrl, sleepers);
        const sent = await countSentOnce(databaseUrl, sleepers);
        if (sent !== campaigns) throw new Error(`${sent} of ${campaigns} campaigns were sent once.`);
        const { p50, p99 } = lateness;
        progress(`    each of ${campaigns} campaigns was sent once: p50 ${p50} ms, p99 ${p99} ms`);
        return lateness;
      } finally {
        await connection.close();
        await worker.stop();
      }
    }),
  );
}

function theirsWake({ campaigns }: SleeperBench): Promise<Lateness> {
  return inBedroom(async ({ temporalAddress, sinkUrl }) => {
    const worker = await startServer(['bench/yardsticks/sleeper-worker.ts', temporalAddress], {});
    const connection = await Connection.connect({ address: temporalAddress }).catch(endingFirst(worker));
    try {
      const client = new Client({ connection });
      const dueAt = secondAfter(Date.now() + LEAD_MS + campaigns * BARE_START_MS_EACH);
      const ids = Array.from({ length: campaigns }, (_, index) => `${NAME} ${index + 1}`);
      await eachAtOnce(ids, STARTS_AT_ONCE, (id) =>
        client.workflow.start('sleeper', {
          taskQueue: 'bare-control',
          workflowId: id,
          args: [{ id, sinkUrl, dueAt }],
        }),
      );
      if (Date.now() > dueAt) throw new Error('They were due before all of them had been started.');
      return await arrivals(sinkUrl, { count: campaigns, dueAt, name: NAME });
    } finally {
      await connection.close();
      await worker.stop();
    }
  });
}

/** Ends a worker before it hands an error on. */
function endingFirst(worker: Program): (error: unknown) => Promise<never> {
  return async (error) => {
    await worker.stop();
    throw error;
  };
}

function inBedroom<Result>(work: (place: Bedroom) => Promise<Result>): Promise<Result> {
  return inThrowawayHome('bench', async (home) => {
    const [port = 0, sinkPort = 0] = await freePorts(2);
    const binary = await findTemporalCli({ env: process.env, progress: () => undefined });
    const temporal = await startTemporalServer({ home, binary, port, uiPort: undefined, inMemory: true });
    try {
      const sink = await startServer(['bench/yardsticks/sink.ts', String(sinkPort), 'arrivals'], {});
      try {
        return await work({ temporalAddress: temporal.address, sinkUrl: `http://127.0.0.1:${sinkPort}` });
      } finally {
        await sink.stop();
      }
    } finally {
      await temporal.stop();
    }
  });
}

function secondAfter(at: number): number {
  return Math.ceil(at / 1_000) * 1_000;
}

/** Waits until everybody's text has come. Throws when one comes twice, before it is due, or not at all. */
async function arrivals(sinkUrl: string, { count, dueAt, name }: Sleepers): Promise<Lateness> {
  while ((await arrived(sinkUrl, name)).length < count) {
    if (Date.now() - dueAt > PATIENCE_MS)
      throw new Error(`${(await arrived(sinkUrl, name)).length} of ${count} have sent.`);
    await delay(POLL_MS);
  }
  await delay(AFTERMATH_MS);
  const seen = await arrived(sinkUrl, name);
  const texts = new Set(seen.map(([text]) => text));
  if (seen.length !== count || texts.size !== count) {
    throw new Error(`${seen.length} texts of ${texts.size} sleepers came, of ${count}.`);
  }
  const lateness = seen.map(([, at]) => at - dueAt).toSorted((one, other) => one - other);
  if ((lateness[0] ?? 0) < 0) throw new Error('A text came before it was due.');
  const at = (share: number): number => lateness[Math.floor((count - 1) * share)] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

async function arrived(sinkUrl: string, name: string): Promise<[text: string, at: number][]> {
  const { arrivals: all } = (await (await fetch(sinkUrl)).json()) as { arrivals: [string, number][] };
  return all.filter(([text]) => text.startsWith(`${name} `));
}

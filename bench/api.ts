import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrateToLatest } from '../db/migrate.ts';
import { startEmbeddedPostgres } from '../dev/embedded-postgres.ts';
import { freePorts } from '../dev/ports.ts';
import { removeOutsidePlace } from '../dev/postgres-place.ts';
import { type ApiBenchData, campaignIdAt, seedCampaigns } from './api-data.ts';
import type { BenchOptions } from './bench.ts';
import { type BenchRow, measurePairs } from './pairs.ts';
import { numberIn, runProgram } from './run-program.ts';
import { type Program, startApi, startServer } from './start-server.ts';

const CAMPAIGNS = 100_000;
/** Of the database, as many as the API's own pool has, and as many HTTP connections. */
const CONNECTIONS = 20;
const RUN_MS = 8_000;
const WARM_UP_MS = 4_000;
const PAGE = 20;

interface Side {
  readonly url: string;
  readonly headers: Record<string, string>;
}

/**
 * Measures the API, as production runs it, beside Fastify routes that do the bare SQL: reading one of many
 * campaigns, listing 20 of them and creating one. Both run all the time, one of them is asked at a time.
 */
export async function benchApi(options: BenchOptions): Promise<BenchRow[]> {
  const campaigns = options.rows ?? CAMPAIGNS;
  const folder = await mkdtemp(join(tmpdir(), 'carillon-bench-'));
  // The database server's user has to get in when this runs as root.
  await chmod(folder, 0o711);
  const [port = 0, ourPort = 0, theirPort = 0] = await freePorts(3);
  const postgres = await startEmbeddedPostgres({ home: folder, port, progress: () => undefined });
  const programs: Program[] = [];
  try {
    options.progress(`Making ${campaigns} campaigns`);
    await migrateToLatest(postgres.url);
    const data = await seedCampaigns(postgres.url, campaigns);
    programs.push(
      await startApi(postgres.url, ourPort, folder),
      await startTheirs(postgres.url, theirPort, data),
    );
    const ours = { url: `http://127.0.0.1:${ourPort}`, headers: { authorization: `Bearer ${data.key}` } };
    const theirs = { url: `http://127.0.0.1:${theirPort}`, headers: {} };
    const ids = Array.from({ length: 1_000 }, (_, index) => campaignIdAt(1 + ((index * 7_919) % campaigns)));
    const rows: BenchRow[] = [];
    for (const [name, bar, load] of [
      ['reading a campaign', 0.35, { paths: ids.map((id) => `/v1/campaigns/${id}`) }],
      [`listing ${PAGE} of ${campaigns}`, 0.3, { paths: [`/v1/campaigns?pageSize=${PAGE}`] }],
      ['creating a campaign', 0.3, { makes: 'Sale' }],
    ] as const) {
      options.progress(`${name}, ours against bare SQL`);
      rows.push(await compare(name, bar, load, { ours, theirs }, options.progress));
    }
    return rows;
  } finally {
    for (const program of programs) await program.stop();
    await postgres.stop();
    await removeOutsidePlace(folder);
    await rm(folder, { recursive: true, force: true });
  }
}

async function compare(
  name: string,
  bar: number,
  load: { readonly paths?: readonly string[]; readonly makes?: string },
  sides: { readonly ours: Side; readonly theirs: Side },
  progress: (line: string) => void,
): Promise<BenchRow> {
  let runs = 0;
  const ask = async (side: Side, durationMs: number): Promise<number> => {
    runs += 1;
    const makes = load.makes === undefined ? {} : { makes: `${load.makes} ${runs}` };
    const given = { ...side, ...load, ...makes, connections: CONNECTIONS, durationMs };
    return numberIn(await runProgram('api-load.ts', [JSON.stringify(given)]), 'answersPerSecond');
  };
  await ask(sides.ours, WARM_UP_MS);
  await ask(sides.theirs, WARM_UP_MS);
  const measured = await measurePairs(
    { ours: () => ask(sides.ours, RUN_MS), theirs: () => ask(sides.theirs, RUN_MS) },
    progress,
  );
  return {
    bench: `api: ${name}`,
    yardstick: 'Fastify with the bare SQL',
    ...measured,
    unit: 'answers/s',
    bar: `ratio ${bar}`,
    holds: measured.ratio.median >= bar,
  };
}

async function startTheirs(databaseUrl: string, port: number, { accountId }: ApiBenchData): Promise<Program> {
  const args = ['bench/yardsticks/api-routes.ts', databaseUrl, accountId, String(CONNECTIONS), String(port)];
  return startServer(args, {});
}

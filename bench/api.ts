import { freePorts } from '../dev/ports.ts';
import { type ApiBenchData, campaignIdAt, seedCampaigns } from './api-data.ts';
import { withBenchPostgres } from './bench-postgres.ts';
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
export function benchApi(options: BenchOptions): Promise<BenchRow[]> {
  const campaigns = options.rows ?? CAMPAIGNS;
  return withBenchPostgres(async ({ folder, databaseUrl }) => {
    const [ourPort = 0, theirPort = 0] = await freePorts(2);
    const programs: Program[] = [];
    try {
      options.progress(`Making ${campaigns} campaigns`);
      const data = await seedCampaigns(databaseUrl, campaigns);
      programs.push(await startApi(databaseUrl, ourPort, folder));
      programs.push(await startTheirs(databaseUrl, theirPort, data));
      const ours = { url: `http://127.0.0.1:${ourPort}`, headers: { authorization: `Bearer ${data.key}` } };
      const theirs = { url: `http://127.0.0.1:${theirPort}`, headers: {} };
      const ids = Array.from({ length: 1_000 }, (_, index) =>
        campaignIdAt(1 + ((index * 7_919) % campaigns)),
      );
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
    }
  });
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

import { NODE_FLAGS } from '../dev/node-flags.ts';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { newAccountId } from '../db/accounts.ts';
import { openDatabase, openPool, withAccount } from '../db/database.ts';
import { withOwner } from '../dev/with-owner.ts';
import { insertBenchAccount, insertBenchKey } from './bench-account.ts';
import { withBenchPostgres } from './bench-postgres.ts';
import type { BenchOptions } from './bench.ts';
import { type ExportedCampaign, sameRows, seedExportedCampaign } from './export-data.ts';
import { type BenchRow, measurePairs } from './pairs.ts';
import { numberIn, runProgram } from './run-program.ts';

const ROWS_MANY = 10_000_000;
/** Enough to last: memory goes up and down with the collector, and a short run ends before its first peak. */
const FEW_SHARE = 0.1;
const MEMORY_EXCESS_MB_MAX = 50;
const SERVER = fileURLToPath(new URL('export-server.ts', import.meta.url));

/**
 * Measures downloads of recipients with their outcomes over HTTP: how fast they are beside COPY of the same rows, and
 * how much memory the API takes for many rows beside few.
 */
export function benchExport(options: BenchOptions): Promise<BenchRow[]> {
  const many = options.rows ?? ROWS_MANY;
  const few = Math.ceil(many * FEW_SHARE);
  return withBenchPostgres(async ({ databaseUrl: url }) => {
    options.progress(`Making ${few} and ${many} recipients`);
    const { key, small, large } = await seed(url, few, many);
    const bench = { url, key, progress: options.progress };
    return [await againstCopy(bench, small, few), await memory(bench, { small, large }, few, many)];
  });
}

interface ExportBench {
  readonly url: string;
  readonly key: string;
  readonly progress: (line: string) => void;
}

async function seed(
  url: string,
  few: number,
  many: number,
): Promise<{ key: string; small: ExportedCampaign; large: ExportedCampaign }> {
  const db = openDatabase(openPool({ connectionString: url, connectionsMax: 2, role: 'carillon_app' }));
  const accountId = newAccountId();
  const key = await withAccount(db, accountId, async (trx) => {
    await insertBenchAccount(trx, accountId);
    return insertBenchKey(trx, accountId);
  });
  await db.destroy();
  return withOwner(url, async (owner) => ({
    key,
    small: await seedExportedCampaign(owner, accountId, 'few', few),
    large: await seedExportedCampaign(owner, accountId, 'many', many),
  }));
}

async function againstCopy(bench: ExportBench, campaign: ExportedCampaign, rows: number): Promise<BenchRow> {
  bench.progress(`Export of ${rows} recipients as CSV over HTTP against COPY of the same rows`);
  const measured = await measurePairs(
    {
      ours: async () => rows / ((await download(bench, campaign, rows)).ms / 1_000),
      theirs: async () => {
        const copied = await runProgram('yardsticks/export-copy.ts', [bench.url, sameRows(campaign)]);
        return rows / (numberIn(copied, 'ms') / 1_000);
      },
    },
    bench.progress,
  );
  return {
    bench: 'export: speed',
    yardstick: 'COPY of the same rows',
    ...measured,
    unit: 'rows/s',
    bar: null,
    holds: true,
  };
}

/** Peak memory hangs on when the collector runs, so one run says little: medians over pairs, as for speed. */
async function memory(
  bench: ExportBench,
  { small, large }: { readonly small: ExportedCampaign; readonly large: ExportedCampaign },
  few: number,
  many: number,
): Promise<BenchRow> {
  bench.progress(`Peak memory in MB of the API for an export of ${many} rows beside one of ${few}`);
  const peak = async (campaign: ExportedCampaign, rows: number): Promise<number> => {
    const { memoryMb, ms } = await download(bench, campaign, rows);
    bench.progress(`  ${rows} rows in ${Math.round(ms / 1_000)} s, ${Math.round(memoryMb)} MB`);
    return memoryMb;
  };
  const measured = await measurePairs(
    { ours: () => peak(large, many), theirs: () => peak(small, few) },
    bench.progress,
  );
  return {
    bench: 'export: memory',
    yardstick: `peak memory at ${few} rows, beside ${many}`,
    ...measured,
    unit: 'MB',
    bar: `${MEMORY_EXCESS_MB_MAX} MB more`,
    holds: measured.ours - measured.theirs <= MEMORY_EXCESS_MB_MAX,
  };
}

const LINE_FEED = 0x0a;

/** Downloads from an API in a process of its own, and counts the rows that arrive. */
async function download(
  bench: ExportBench,
  { campaignId }: ExportedCampaign,
  rows: number,
): Promise<{ readonly ms: number; readonly memoryMb: number }> {
  const child = spawn(process.execPath, [...NODE_FLAGS, '--import', 'tsx', SERVER, bench.url], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString('utf8');
  });
  const ended = once(child, 'close');
  while (!output.includes('\n')) {
    await Promise.race([once(child.stdout, 'data'), ended]);
    if (child.exitCode !== null) throw new Error('The API has not started.');
  }
  const started = performance.now();
  const path = `/v1/campaigns/${campaignId}/recipients/export`;
  const response = await fetch(output.trim() + path, { headers: { authorization: `Bearer ${bench.key}` } });
  if (!response.ok || response.body === null) throw new Error(`The export answered ${response.status}.`);
  let lines = 0;
  for await (const chunk of response.body) {
    const bytes = chunk as Uint8Array;
    for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) lines += 1;
  }
  const ms = performance.now() - started;
  if (lines !== rows + 1) throw new Error(`${lines} lines of ${rows} rows arrived.`);
  child.stdin.end();
  await ended;
  const answer = JSON.parse(output.trim().split('\n').at(-1) ?? '{}') as Record<string, unknown>;
  return { ms, memoryMb: numberIn(answer, 'memoryMb') };
}

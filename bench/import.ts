import { createHmac } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { keepContent } from '../api/import-upload.ts';
import { newAccountId } from '../db/accounts.ts';
import { type Db, openDatabase, openPool, withAccount } from '../db/database.ts';
import { insertImport } from '../db/imports.ts';
import { insertList } from '../db/lists.ts';
import { insertBenchAccount } from './bench-account.ts';
import { withBenchPostgres } from './bench-postgres.ts';
import type { BenchOptions } from './bench.ts';
import { detailsOf, digitsOf, writeContactFile } from './contact-file.ts';
import { type BenchRow, measurePairs } from './pairs.ts';
import { numberIn, runProgram } from './run-program.ts';

const ROWS = 200_000;
const RATIO_MIN = 0.7;
const MEMORY_ROWS_FEW = 50_000;
const MEMORY_ROWS_MANY = 1_000_000;
const MEMORY_EXCESS_MB_MAX = 50;

/**
 * Measures an import, from its complete content in the database to committed contacts on a list, against a loop
 * that only parses the file and its numbers, against COPY into the same table, and its own peak memory.
 */
export function benchImport(options: BenchOptions): Promise<BenchRow[]> {
  const rows = options.rows ?? ROWS;
  return withBenchPostgres(async ({ folder, databaseUrl: url }) => {
    const pool = openPool({ connectionString: url, connectionsMax: 2, role: 'carillon_app' });
    const db = openDatabase(pool);
    try {
      const bench: ImportBench = { db, folder, url, progress: options.progress };
      return [
        await againstParsing(bench, rows),
        await againstCopy(bench, rows),
        await memory(bench, MEMORY_ROWS_FEW, MEMORY_ROWS_MANY),
      ];
    } finally {
      await db.destroy();
    }
  });
}

interface ImportBench {
  readonly db: Db;
  readonly folder: string;
  readonly url: string;
  readonly progress: (line: string) => void;
}

async function againstParsing(bench: ImportBench, rows: number): Promise<BenchRow> {
  bench.progress(`Import of ${rows} rows against parsing them`);
  const file = join(bench.folder, 'contacts.csv');
  await writeContactFile(file, rows);
  const measured = await measurePairs(
    {
      ours: async () => rows / seconds(await importOnce(bench, file)),
      theirs: async () => rows / seconds(await runProgram('yardsticks/import-parse.ts', [file])),
    },
    bench.progress,
  );
  return {
    bench: 'import',
    yardstick: 'parse file and numbers',
    ...measured,
    unit: 'rows/s',
    bar: `ratio ${RATIO_MIN}`,
    holds: measured.ratio.median >= RATIO_MIN,
  };
}

async function againstCopy(bench: ImportBench, rows: number): Promise<BenchRow> {
  bench.progress(`Import of ${rows} rows against COPY of as many prepared ones`);
  const file = join(bench.folder, 'contacts.csv');
  const prepared = join(bench.folder, 'contacts.copy');
  await pipeline(Readable.from(preparedLines(rows)), createWriteStream(prepared));
  const columns = 'account_id, number, number_hash, country, first_name, last_name, time_zone, custom';
  const measured = await measurePairs(
    {
      ours: async () => rows / seconds(await importOnce(bench, file)),
      theirs: async () =>
        rows /
        seconds(await runProgram('yardsticks/table-copy.ts', [bench.url, 'contacts', columns, prepared])),
    },
    bench.progress,
  );
  return {
    bench: 'import',
    yardstick: 'COPY into the same table',
    ...measured,
    unit: 'rows/s',
    bar: null,
    holds: true,
  };
}

/** Peak memory hangs on when the collector runs, so one run says little: medians over pairs, as for speed. */
async function memory(bench: ImportBench, few: number, many: number): Promise<BenchRow> {
  bench.progress(`Peak memory in MB of an import of ${many} rows beside one of ${few}`);
  const peak = async (rows: number): Promise<number> => {
    const file = join(bench.folder, `memory-${rows}.csv`);
    await writeContactFile(file, rows);
    const memoryMb = numberIn(await importOnce(bench, file), 'memoryMb');
    await rm(file);
    return memoryMb;
  };
  const measured = await measurePairs({ ours: () => peak(many), theirs: () => peak(few) }, bench.progress);
  return {
    bench: 'import',
    yardstick: `peak memory at ${few} rows, beside ${many}`,
    ...measured,
    unit: 'MB',
    bar: `${MEMORY_EXCESS_MB_MAX} MB more`,
    holds: measured.ours - measured.theirs <= MEMORY_EXCESS_MB_MAX,
  };
}

/** Imports the file into an empty table, for an account of its own. */
async function importOnce(bench: ImportBench, file: string): Promise<Record<string, unknown>> {
  const owner = openPool({ connectionString: bench.url, connectionsMax: 1, role: 'owner' });
  await owner.query('truncate contacts, list_members, import_refusals, import_pieces');
  await owner.query('checkpoint');
  await owner.end();
  const accountId = newAccountId();
  const importId = await withAccount(bench.db, accountId, async (trx) => {
    await insertBenchAccount(trx, accountId);
    const list = await insertList(trx, accountId, 'Everybody');
    return insertImport(trx, {
      accountId,
      listIds: list === null ? [] : [list.id],
      mapping: null,
      defaultCountry: 'US',
      createdBy: 'bench',
    });
  });
  await keepContent(
    bench.db,
    { accountId, actor: { id: 'system', via: 'system' } },
    importId,
    createReadStream(file),
  );
  return runProgram('import-run.ts', [bench.url, accountId, importId]);
}

function* preparedLines(rows: number): Generator<string> {
  const linesAtOnce = 5_000;
  for (let from = 0; from < rows; from += linesAtOnce) {
    let text = '';
    for (let index = from; index < Math.min(rows, from + linesAtOnce); index += 1) {
      const { firstName, lastName, zone, city } = detailsOf(index);
      const number = `+1${digitsOf(index)}`;
      const hash = createHmac('sha256', 'bench').update(number).digest('hex').slice(0, 32);
      text += `acc_bench\t${number}\t\\\\x${hash}\tUS\t${firstName}\t${lastName}\t${zone}\t{"city": "${city}"}\n`;
    }
    yield text;
  }
}

function seconds(answer: Record<string, unknown>): number {
  return numberIn(answer, 'ms') / 1_000;
}

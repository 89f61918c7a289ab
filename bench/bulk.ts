import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { to as copyTo } from 'pg-copy-streams';
import { withOwner } from '../dev/with-owner.ts';
import type { BenchOptions } from './bench.ts';
import { type DispatchAccount, type DispatchCampaign, seedDispatchAccount } from './dispatch-data.ts';
import { asOwner, type DispatchPlace, withDispatchPlace } from './dispatch-place.ts';
import { type BenchRow, measurePairs } from './pairs.ts';
import { numberIn, runProgram } from './run-program.ts';
import { sendCampaign, type Sent } from './send-campaign.ts';
import { withWorkers } from './start-worker.ts';
import { BULK_TEXT } from './texts.ts';

const RECIPIENTS = 500_000;
const RATIO_MIN = 0.35;
/** As many as a message has lanes. */
const CONNECTIONS = 4;
const COLUMNS =
  'month, account_id, message_key, recipient, attempt, lease_id, request, result, cause, carrier_uuid, segments, cost_micro_usd';

interface BulkBench extends DispatchPlace {
  readonly account: DispatchAccount;
  readonly progress: (line: string) => void;
}

/**
 * Measures how fast one text goes out to everybody in the carrier's bulk form, each lease, post and outcome durable,
 * beside COPY of the very rows that are the outcome.
 */
export function benchBulk(options: BenchOptions): Promise<BenchRow[]> {
  const recipients = options.rows ?? RECIPIENTS;
  return withDispatchPlace(async (place) => {
    options.progress(`Making ${recipients} contacts`);
    const account = await seedDispatchAccount(place.db, place.databaseUrl, recipients);
    const bench = { ...place, account, progress: options.progress };
    const { campaign } = await sendOnce(bench);
    return [
      await againstCopy(bench, campaign, 1, RATIO_MIN),
      await againstCopy(bench, campaign, CONNECTIONS, null),
    ];
  });
}

async function againstCopy(
  bench: BulkBench,
  sent: DispatchCampaign,
  connections: number,
  bar: number | null,
): Promise<BenchRow> {
  const { contacts: recipients } = bench.account;
  const over = connections === 1 ? 'a connection' : `${connections} connections`;
  bench.progress(`${recipients} recipients in bulk form against COPY of their rows over ${over}`);
  const paths = await writeRows(bench, sent, connections);
  const measured = await measurePairs(
    {
      ours: async () => recipients / ((await sendOnce(bench)).ms / 1_000),
      theirs: async () => {
        await asOwner(bench.databaseUrl, 'checkpoint');
        const copied = await runProgram('yardsticks/table-copy.ts', [
          bench.databaseUrl,
          'attempts',
          COLUMNS,
          ...paths,
        ]);
        const rows = numberIn(copied, 'rows');
        if (rows !== recipients) throw new Error(`${rows} of ${recipients} rows were copied.`);
        return rows / (numberIn(copied, 'ms') / 1_000);
      },
    },
    bench.progress,
  );
  return {
    bench: 'bulk: full path',
    yardstick: `COPY of the same rows over ${over}`,
    ...measured,
    unit: 'recipients/s',
    bar: bar === null ? null : `ratio ${bar}`,
    holds: bar === null || measured.ratio.median >= bar,
  };
}

/** By a worker that was started for it. */
function sendOnce(bench: BulkBench): Promise<Sent> {
  return withWorkers(1, bench, (workers) => sendCampaign(bench, workers, bench.account, BULK_TEXT));
}

/** Writes what became of a campaign's recipients into so many files, as COPY reads it. */
function writeRows(bench: BulkBench, campaign: DispatchCampaign, files: number): Promise<string[]> {
  return withOwner(bench.databaseUrl, async (owner) => {
    const found = await owner.query<{ key: string }>('select key from messages where id = $1', [
      campaign.messageId,
    ]);
    const paths: string[] = [];
    for (let file = 0; file < files; file += 1) {
      const from = Math.floor((bench.account.contacts * file) / files);
      const to = Math.floor((bench.account.contacts * (file + 1)) / files);
      const path = join(bench.folder, `attempts-${file}-of-${files}.copy`);
      const rows = `select ${COLUMNS} from attempts where message_key = ${found.rows[0]?.key}
      and recipient > ${from} and recipient <= ${to} order by recipient`;
      await pipeline(owner.query(copyTo(`copy (${rows}) to stdout`)), createWriteStream(path));
      paths.push(path);
    }
    return paths;
  });
}

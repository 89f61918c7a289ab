import { setTimeout as delay } from 'node:timers/promises';
import { Logger, run, type Task } from 'graphile-worker';
import { Pool } from 'pg';
import { createPlivoCarrier } from '../../carrier/plivo/plivo-carrier.ts';

// A job a recipient, through the same carrier's client: what a good queue does for each of them.
const [connectionString = '', apiUrl = '', countGiven = '', concurrency = '', batching = ''] =
  process.argv.slice(2);
const LOOK_EVERY_MS = 20;
const count = Number(countGiven);
const carrier = createPlivoCarrier({ authId: 'MAXXXXXXXXXXXXXXXXXX', authToken: 'token', apiUrl });
const pool = new Pool({ connectionString, max: 24 });
pool.on('error', () => undefined);
let posted = 0;
let allPosted: () => void = () => undefined;
const done = new Promise<void>((resolve) => {
  allPosted = resolve;
});

const text: Task = async (payload) => {
  const { to, body } = payload as { to: string; body: string };
  const callbackUrl = `https://example.com/callbacks/${to.slice(1)}`;
  const answer = await carrier.send({ from: '24365', to: [to], text: body, mediaUrls: [], callbackUrl });
  if (answer.kind !== 'accepted') throw new Error(`The sink answered ${answer.kind}.`);
  if ((posted += 1) === count) allPosted();
};

const started = performance.now();
const runner = await run({
  pgPool: pool,
  concurrency: Number(concurrency),
  pollInterval: 1_000,
  noHandleSignals: true,
  crontab: '',
  // Standard output holds the result alone.
  logger: new Logger(() => () => undefined),
  taskList: { text },
  ...(batching === 'batched'
    ? { preset: { worker: { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } } }
    : {}),
});
await done;
// The last jobs count once the queue has them as done.
for (;;) {
  const left = await pool.query<{ left: number }>('select count(*)::int as left from graphile_worker.jobs');
  if (left.rows[0]?.left === 0) break;
  await delay(LOOK_EVERY_MS);
}
process.stdout.write(`${JSON.stringify({ ms: performance.now() - started })}\n`);
await runner.stop();
await carrier.close();
await pool.end();
process.exit(0);

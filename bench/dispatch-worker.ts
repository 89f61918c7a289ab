import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { createInterface } from 'node:readline';
import { createCarriers } from '../activities/carriers.ts';
import { watchDispatch } from '../activities/dispatch-watch.ts';
import { createLaneDeps } from '../activities/lane-deps.ts';
import { machineClock } from '../activities/machine-clock.ts';
import { createPostgresPermits } from '../db/carrier-permits.ts';
import { openPipelinedDatabase, openPool } from '../db/database.ts';
import { noCrash } from '../domain/dispatch/crash-points.ts';
import { runLane } from '../domain/dispatch/lane.ts';
import { createAtOnce } from '../domain/dispatch/at-once.ts';
import { createSlots, REQUESTS_AT_ONCE_MAX } from '../domain/dispatch/slots.ts';
import type { WorkerOrder, WorkerPlace } from './start-worker.ts';

// A worker without its engine: each line that it reads orders lanes, which it runs side by side as it would in
// production, each lease, post and outcome durable. It answers each order with a line, and ends with its input.
const [given = '{}'] = process.argv.slice(2);
const place = JSON.parse(given) as WorkerPlace;
const fail = (error: unknown): never => {
  throw error;
};

const database = { connectionString: place.databaseUrl, role: 'carillon_app' } as const;
const pool = openPool({ ...database, connectionsMax: 2 });
const db = openPipelinedDatabase({ ...database, connectionsMax: 24 });
const credentials = { authId: 'MAXXXXXXXXXXXXXXXXXX', authToken: 'token' };
const carriers = createCarriers({ db, keys: [], defaults: credentials, apiUrl: place.sinkUrl });
const watch = await watchDispatch(pool, fail);
const atOnce = createAtOnce({
  permits: createPostgresPermits(db, randomUUID()),
  machine: machineClock,
  wanted: REQUESTS_AT_ONCE_MAX,
  onError: fail,
});
const deps = createLaneDeps(
  {
    db,
    publicUrl: 'https://example.com',
    signingKey: { id: 'k1', secret: Buffer.alloc(32, 1) },
    carriers,
    watch,
    crash: noCrash,
    atOnce,
  },
  createSlots(REQUESTS_AT_ONCE_MAX),
);
const never = new AbortController().signal;
// All leases of all lanes listen to it.
setMaxListeners(0, never);

async function obey(order: WorkerOrder): Promise<void> {
  if (order.kind === 'collect_garbage') {
    if (globalThis.gc === undefined) throw new Error('Garbage can be collected with --expose-gc only.');
    globalThis.gc();
    return;
  }
  await Promise.all(
    order.lanes.map((lane) =>
      runLane(deps, {
        lane: { ...order.campaign, lane },
        askedAt: Date.now(),
        campaignNow: Date.now,
        budgetMs: 600_000,
        signal: never,
        draining: never,
      }),
    ),
  );
}

const answer = (): void => void process.stdout.write('{}\n');
answer();
for await (const line of createInterface({ input: process.stdin })) {
  await obey(JSON.parse(line) as WorkerOrder);
  answer();
}
await atOnce.close();
await watch.close();
await carriers.close();
await Promise.all([db.destroy(), pool.end()]);

import { UNLIMITED } from '../domain/dispatch/at-once.ts';
import { createCarriers } from '../activities/carriers.ts';
import { watchDispatch } from '../activities/dispatch-watch.ts';
import { createLaneDeps } from '../activities/lane-deps.ts';
import { openPipelinedDatabase, openPool, withAccount } from '../db/database.ts';
import { planMessage } from '../db/message-plan.ts';
import { noCrash } from '../domain/dispatch/crash-points.ts';
import { runLane } from '../domain/dispatch/lane.ts';
import { createSlots } from '../domain/dispatch/slots.ts';
import type { DispatchCampaign } from './dispatch-data.ts';

// Sends one message as a worker does: its plan, its lanes side by side, each lease, post and outcome durable.
const [given = '{}'] = process.argv.slice(2);
const order = JSON.parse(given) as {
  readonly databaseUrl: string;
  readonly apiUrl: string;
  readonly requestsAtOnce: number;
  readonly campaign: DispatchCampaign;
};
const fail = (error: unknown): never => {
  throw error;
};

const database = { connectionString: order.databaseUrl, role: 'carillon_app' } as const;
const pool = openPool({ ...database, connectionsMax: 2 });
const db = openPipelinedDatabase({ ...database, connectionsMax: 24 });
const credentials = { authId: 'MAXXXXXXXXXXXXXXXXXX', authToken: 'token' };
const carriers = createCarriers({ db, keys: [], defaults: credentials, apiUrl: order.apiUrl });
const watch = await watchDispatch(pool, fail);
const deps = createLaneDeps(
  {
    db,
    publicUrl: 'https://example.com',
    signingKey: { id: 'k1', secret: Buffer.alloc(32, 1) },
    carriers,
    watch,
    crash: noCrash,
    atOnce: UNLIMITED,
  },
  createSlots(order.requestsAtOnce),
);
const never = new AbortController().signal;
const { accountId } = order.campaign;

const started = performance.now();
for (;;) {
  const plan = await withAccount(db, accountId, (trx) =>
    planMessage(trx, { ...order.campaign, at: Date.now() }),
  );
  if (plan.kind === 'done') break;
  if (plan.kind !== 'send') throw new Error(`The message is to ${plan.kind}.`);
  await Promise.all(
    Array.from({ length: plan.lanes }, (_, lane) =>
      runLane(deps, {
        lane: { ...order.campaign, lane },
        campaignNow: Date.now,
        budgetMs: 600_000,
        signal: never,
        draining: never,
      }),
    ),
  );
}
process.stdout.write(`${JSON.stringify({ ms: performance.now() - started })}\n`);
await watch.close();
await carriers.close();
await Promise.all([db.destroy(), pool.end()]);

import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { askingTimesOf } from './activities/asking-times.ts';
import { createActivities } from './activities/index.ts';
import { machineClock } from './activities/machine-clock.ts';
import { createCarriers } from './activities/carriers.ts';
import { watchDispatch } from './activities/dispatch-watch.ts';
import { carrierUrlOf, defaultCredentials, readConfig, requireParts } from './config.ts';
import { createPostgresPermits } from './db/carrier-permits.ts';
import { openPipelinedDatabase, openPool } from './db/database.ts';
import { createAtOnce } from './domain/dispatch/at-once.ts';
import { REQUESTS_AT_ONCE_MAX } from './domain/dispatch/slots.ts';
import { crashHookOf } from './engine/crash-hook.ts';
import { registerNamespace } from './engine/namespace.ts';
import { startRepair } from './engine/repair.ts';
import { createWorkflowClient } from './engine/workflow-client.ts';
import { loadKeys } from './keys.ts';
import { onParentGone } from './parent-watch.ts';
import { serveWorkerHealth } from './worker-health.ts';
import { CONTROL_QUEUE, DISPATCH_QUEUE } from './workflows/contract.ts';

// Workflow code and Intl both follow the process's zone; campaigns carry their own.
process.env['TZ'] = 'UTC';

const config = requireParts(readConfig(process.env));
const keys = await loadKeys(config);
const logger = pino({ level: config.logLevel, base: { part: 'worker' } }, pino.destination(2));
const logError = (error: unknown): void =>
  logger.error({ error: describe(error) }, 'A background task failed');

Runtime.install({ logger: new DefaultLogger('WARN', (entry) => logger.warn(entry.message)) });

const DATABASE_CONNECTIONS_MAX = 24;
/** For what listens, with its reads of gates, and the lock of repair. */
const PLAIN_CONNECTIONS_MAX = 4;
/** Each keeps a connection until its file is imported, so they are apart: posts go out only while the watch hears. */
const IMPORTS_AT_ONCE_MAX = 8;
const LANES_AT_ONCE_MAX = 1_000;
/**
 * By itself the SDK passes on a heartbeat only after four fifths of its timeout, so that one which is three seconds late
 * would have a lane given up whose texts are under way.
 */
const HEARTBEATS_PASSED_ON_MS = 4_000;
const SHUTDOWN_GRACE_MS = 20_000;

const database = { connectionString: config.databaseUrl, role: 'carillon_app' } as const;
const pool = openPool({ ...database, connectionsMax: PLAIN_CONNECTIONS_MAX });
const importPool = openPool({ ...database, connectionsMax: IMPORTS_AT_ONCE_MAX });
const db = openPipelinedDatabase({ ...database, connectionsMax: DATABASE_CONNECTIONS_MAX });
const connection = await Connection.connect(config.temporal.connectionOptions);
const nativeConnection = await NativeConnection.connect(config.temporal.connectionOptions);
const { namespace } = config.temporal;
const client = new Client({ connection, namespace });
const time = process.env['CARILLON_TIME'] === 'virtual' ? 'virtual' : 'real';
const workflows = createWorkflowClient(client, time);
await registerNamespace(client, namespace);

const carriers = createCarriers({
  db,
  keys: keys.all,
  defaults: defaultCredentials(config),
  apiUrl: carrierUrlOf(config),
});
const draining = new AbortController();
const watch = await watchDispatch(pool, logError);
const atOnce = createAtOnce({
  permits: createPostgresPermits(db, randomUUID()),
  machine: machineClock,
  wanted: REQUESTS_AT_ONCE_MAX,
  onError: logError,
});
const activities = createActivities({
  db,
  pool: importPool,
  hashKey: keys.hashKey,
  publicUrl: config.publicUrl,
  signingKey: keys.signing,
  carriers,
  watch,
  atOnce,
  crash: crashHookOf(process.env['CARILLON_CRASH_AT'], config.carrier),
  allowVirtualTime: config.carrier === 'sandbox',
  lanesAtOnceMax: LANES_AT_ONCE_MAX,
  wakeCampaign: workflows.wakeCampaign,
  pokeCampaign: workflows.pokeCampaign,
  askingTimes: askingTimesOf(process.env['CARILLON_ASK_FASTER'], config.carrier),
  draining: draining.signal,
});
const workflowBundle = await bundleWorkflowCode({
  workflowsPath: new URL('./workflows/index.ts', import.meta.url).pathname,
  logger: new DefaultLogger('ERROR'),
});
const common = { connection: nativeConnection, namespace, activities, shutdownGraceTime: SHUTDOWN_GRACE_MS };
const control = await Worker.create({ ...common, taskQueue: CONTROL_QUEUE, workflowBundle });
const dispatch = await Worker.create({
  ...common,
  taskQueue: DISPATCH_QUEUE,
  maxConcurrentActivityTaskExecutions: LANES_AT_ONCE_MAX,
  maxHeartbeatThrottleInterval: HEARTBEATS_PASSED_ON_MS,
});

const repair = startRepair({
  db,
  pool,
  workflows,
  registerNamespace: () => registerNamespace(client, namespace),
  onError: logError,
  now: Date.now,
});

const stop = (): void => {
  // First nothing new is taken, so that a lane which ends here goes on in another worker.
  for (const worker of [control, dispatch]) if (worker.getState() === 'RUNNING') worker.shutdown();
  draining.abort();
};
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
onParentGone(stop);
const running = Promise.all([control.run(), dispatch.run()]);
const { host, workerHealthPort } = config;
const health =
  workerHealthPort === undefined
    ? undefined
    : await serveWorkerHealth([control, dispatch], { host, port: workerHealthPort });
process.stdout.write(`${JSON.stringify({ ready: true })}\n`);

await running;
await health?.close();
await repair.stop();
await atOnce.close();
await watch.close();
await carriers.close();
await Promise.all([db.destroy(), pool.end(), importPool.end()]);
await connection.close();
await nativeConnection.close();

/** An error's kind and message; carriers' and drivers' errors carry whole requests, which no log may show. */
function describe(error: unknown): { name: string; message: string } {
  return error instanceof Error
    ? { name: error.name, message: error.message }
    : { name: 'unknown', message: typeof error };
}

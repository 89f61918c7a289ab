import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { defaultCredentials, readConfig, requireParts } from '../config.ts';
import { openPipelinedDatabase, openPool, STANDSTILL_MS_MAX } from '../db/database.ts';
import { crashHookOf } from '../engine/crash-hook.ts';
import { createWorkflowClient } from '../engine/workflow-client.ts';
import { loadKeys } from '../keys.ts';
import { onParentGone } from '../parent-watch.ts';
import { createApp } from './app.ts';

const CONNECTIONS_MAX = 20;
/** Who calls is told to come back rather than kept waiting for longer. */
const CONNECTION_WAIT_MS = 5_000;
/** Longer than a process that stands still can keep anybody waiting, so that a pause goes through all the same. */
const LOCK_WAIT_MS = STANDSTILL_MS_MAX + 5_000;
/** Connections of their own, made when a stream first needs one. */
const STREAMS_MAX = 5;

const config = requireParts(readConfig(process.env));
const keys = await loadKeys(config);
const logger = pino({ level: config.logLevel, base: { part: 'api' } }, pino.destination(2));
const connections = {
  connectionString: config.databaseUrl,
  connectionsMax: CONNECTIONS_MAX,
  waitMs: CONNECTION_WAIT_MS,
  role: 'carillon_app',
} as const;
const db = openPipelinedDatabase({ ...connections, lockWaitMs: LOCK_WAIT_MS });
const pool = openPool({ ...connections, connectionsMax: STREAMS_MAX });
// Lazily connected: orders are kept while the engine is down, so the API starts without it.
const connection = Connection.lazy(config.temporal.connectionOptions);
const client = new Client({ connection, namespace: config.temporal.namespace });
const time = process.env['CARILLON_TIME'] === 'virtual' ? 'virtual' : 'real';

const app = await createApp(
  {
    db,
    pool,
    workflows: createWorkflowClient(client, time),
    crash: crashHookOf(process.env['CARILLON_CRASH_AT'], config.carrier),
    now: Date.now,
    publicUrl: config.publicUrl,
    keys: keys.all,
    hashKey: keys.hashKey,
    defaultCredentials: defaultCredentials(config),
    acceptV2Signatures: config.plivoAcceptV2,
  },
  logger,
  { perKey: config.requestsPerKey, perAddress: config.requestsPerAddress },
  config.trustedProxies,
);
const url = await app.listen({ host: config.host, port: config.port });

const stop = (): void => {
  app
    .close()
    .then(() => Promise.all([db.destroy(), pool.end()]))
    .then(() => connection.close())
    .then(
      () => process.exit(0),
      () => process.exit(1),
    );
};
process.once('SIGINT', stop);
process.once('SIGTERM', stop);
onParentGone(stop);
process.stdout.write(`${JSON.stringify({ ready: true, url })}\n`);

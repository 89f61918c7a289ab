import { Client, Connection } from '@temporalio/client';
import { type Db, openDatabase, openPool } from '../db/database.ts';
import { freePorts } from '../dev/ports.ts';
import { findTemporalCli } from '../dev/temporal-binaries.ts';
import { startTemporalServer } from '../dev/temporal-server.ts';
import { inThrowawayHome } from '../dev/throwaway-home.ts';
import { withOwner } from '../dev/with-owner.ts';
import { createWorkflowClient, type WorkflowClient } from '../engine/workflow-client.ts';
import { startApi, startServer } from './start-server.ts';

/** Where one side sends: a whole system of its own, with a carrier that takes everything and counts it. */
export interface CentralPlace {
  /** As its owner. */
  readonly databaseUrl: string;
  readonly db: Db;
  readonly sinkUrl: string;
  readonly apiUrl: string;
  readonly client: Client;
  readonly workflows: WorkflowClient;
}

const COPY = 'side';
/** Fewer than are ordered at a time, as in the API. */
const CONNECTIONS_MAX = 20;

/**
 * Works in a system that is gone afterwards: a copy of the database that was seeded, Temporal in memory, and one worker.
 * So each side finds the same, whatever others have sent before it.
 */
export function inCentralPlace<Result>(
  seededUrl: string,
  work: (place: CentralPlace) => Promise<Result>,
): Promise<Result> {
  return inThrowawayHome('bench', async (home) => {
    const ends: (() => Promise<unknown>)[] = [];
    try {
      return await work(await openPlace(seededUrl, home, ends));
    } finally {
      for (const end of ends.toReversed()) await end();
    }
  });
}

async function openPlace(
  seededUrl: string,
  home: string,
  ends: (() => Promise<unknown>)[],
): Promise<CentralPlace> {
  const [temporalPort = 0, sinkPort = 0, apiPort = 0] = await freePorts(3);
  const databaseUrl = await copyDatabase(seededUrl);
  ends.push(() => dropCopy(seededUrl));
  const binary = await findTemporalCli({ env: process.env, progress: () => undefined });
  const temporal = await startTemporalServer({
    home,
    binary,
    port: temporalPort,
    uiPort: undefined,
    inMemory: true,
  });
  ends.push(temporal.stop);
  const { address } = temporal;
  const sink = await startServer(['bench/yardsticks/sink.ts', String(sinkPort)], {});
  ends.push(sink.stop);
  const sinkUrl = `http://127.0.0.1:${sinkPort}`;
  const worker = await startServer(['worker.ts'], {
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: address,
    PLIVO_API_URL: sinkUrl,
    CARILLON_HOME: home,
  });
  // Nothing that it has begun is wanted any more, and to finish it takes a worker a while.
  ends.push(worker.kill);
  const api = await startApi(databaseUrl, apiPort, home, address);
  ends.push(api.kill);
  const connection = await Connection.connect({ address });
  ends.push(() => connection.close());
  const db = openDatabase(
    openPool({ connectionString: databaseUrl, connectionsMax: CONNECTIONS_MAX, role: 'carillon_app' }),
  );
  ends.push(() => db.destroy());
  const client = new Client({ connection });
  return {
    databaseUrl,
    db,
    sinkUrl,
    apiUrl: `http://127.0.0.1:${apiPort}`,
    client,
    workflows: createWorkflowClient(client, 'real'),
  };
}

/** Copies the files of the database, its statistics with them. */
async function copyDatabase(seededUrl: string): Promise<string> {
  const name = new URL(seededUrl).pathname.slice(1);
  await withOwner(besides(seededUrl, 'postgres'), (owner) =>
    owner.query(`create database ${COPY} template "${name}" strategy file_copy`),
  );
  return besides(seededUrl, COPY);
}

async function dropCopy(seededUrl: string): Promise<void> {
  await withOwner(besides(seededUrl, 'postgres'), (owner) =>
    owner.query(`drop database ${COPY} with (force)`),
  );
}

/** The address of another database of the same server. */
function besides(databaseUrl: string, name: string): string {
  const url = new URL(databaseUrl);
  url.pathname = `/${name}`;
  return url.href;
}

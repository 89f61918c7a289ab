import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { logTail, startChild, type Child, type ChildOptions } from './child.ts';

/** What an embedded Temporal server needs to know. */
export interface TemporalServerOptions {
  /** The folder that keeps the log and, unless `inMemory`, the database file. */
  readonly home: string;
  /** The path of the `temporal` command. */
  readonly binary: string;
  readonly port: number;
  /** Undefined: no UI. */
  readonly uiPort: number | undefined;
  /** True for tests: nothing outlives the server, and it is many times faster. */
  readonly inMemory: boolean;
}

/** A running Temporal server with the namespace `default`. */
export interface TemporalServer {
  readonly child: Child;
  /** host:port of its gRPC front end. */
  readonly address: string;
  readonly uiUrl: string | undefined;
  readonly stop: () => Promise<void>;
}

/**
 * Starts a real Temporal server on 127.0.0.1 and returns once it answers. Throws an Error with the end of the log if it does not start.
 */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const childOptions = serverOptions(options);
  const child = await startChild(childOptions);
  const address = `127.0.0.1:${options.port}`;
  await waitUntilServing(child, address, childOptions);
  const uiUrl = options.uiPort === undefined ? undefined : `http://127.0.0.1:${options.uiPort}`;
  return { child, address, uiUrl, stop: () => child.stop() };
}

/** Deletes all data of an embedded Temporal, which loses no campaign. Its server must not run. */
export async function deleteTemporalData(home: string): Promise<void> {
  const file = databaseFile(home);
  await Promise.all(['', '-wal', '-shm'].map((suffix) => rm(`${file}${suffix}`, { force: true })));
}

function databaseFile(home: string): string {
  return join(home, 'temporal.db');
}

const START_TIMEOUT_MS = 60_000;

function serverOptions(options: TemporalServerOptions): ChildOptions {
  const { home, binary, port, uiPort, inMemory } = options;
  const listen = ['--ip', '127.0.0.1', '--port', String(port), '--log-level', 'error'];
  // One account's millions must not starve another's ten.
  const fairness = ['--dynamic-config-value', 'matching.enableFairness=true'];
  const database = ['--db-filename', databaseFile(home)];
  // Written ahead and synced at checkpoints: what a crash of the machine loses, the repair loop starts again.
  const pragmas = ['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=1'];
  return {
    name: 'Temporal',
    command: binary,
    args: [
      'server',
      'start-dev',
      ...listen,
      ...(uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort)]),
      ...fairness,
      ...(inMemory ? [] : [...database, ...pragmas]),
    ],
    env: process.env,
    cwd: '/',
    home,
    slug: 'temporal',
    stopSignal: 'SIGTERM',
    graceMs: 10_000,
  };
}

async function waitUntilServing(child: Child, address: string, options: ChildOptions): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  let ended = false;
  void child.exited.then(() => (ended = true));
  for (;;) {
    try {
      const connection = await Connection.connect({ address, connectTimeout: '1s' });
      try {
        await connection.workflowService.describeNamespace({ namespace: 'default' });
        return;
      } finally {
        await connection.close();
      }
    } catch (error) {
      if (ended || performance.now() > deadline) {
        await child.stop();
        throw new Error(`Temporal did not start. ${await logTail(options)}`, { cause: error });
      }
    }
    await delay(100);
  }
}
